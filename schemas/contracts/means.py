"""Means checks 核对: the contract by which registers of other authorities are asked (docs/means.md).

SourcePolicy, SourceRegister      an entry of policies/sources.yaml; all of them
CheckRequest -> CheckAnswer       what the workflow asks of the activity; people by reference only
CheckBody -> SourceAnswer         what goes over the wire; what a source answers

What a source knows comes back as whole numbers by name, and by nothing else: no free text enters a history.
"""

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import ConfigDict, Field, StringConstraints

from schemas.contracts.department import Code, Gateway, StrictTime, order_id
from schemas.contracts.department_policy import Name
from schemas.contracts.question import Answer, Question
from schemas.values.foreign_code import ForeignCode
from schemas.values.model import Model
from schemas.values.references import PersonReference, TextReference

PEOPLE_MAX = 20
"""So many of one household can be asked about at once; above that somebody mistyped."""

FactName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,39}$")]
"""What a fact is called: `monthly_income_fen`, `properties`. Money ends in `_fen`."""

FactNumber = Annotated[int, Field(strict=True, ge=0, le=10**12)]
"""A whole number, never negative: fen, pieces, a level. 10^12 fen are ten milliards of yuan."""

ToldFact = Annotated[int, Field(strict=True)] | Annotated[bool, Field(strict=True)] | Code


def check_step(check: str, number: int) -> str:
    """The step of a check. `number` counts how often this source was asked anew in the case."""
    return f"check-{check}-{number}"


class CheckStatus(StrEnum):
    """How asking a source ended.

    CLEAR        it has nothing on these people; `facts` are all there and zero where it counts
    FOUND        it has something: `facts` say what
    REFUSED      it will never answer this: a fact for the procedure, trying again will not help
    UNREACHABLE  no usable answer within the time for it; ask again, alone, with the next number
    DESK         it has no system: its people answer by a command on the case
    """

    CLEAR = "clear"
    FOUND = "found"
    REFUSED = "refused"
    UNREACHABLE = "unreachable"
    DESK = "desk"


class CheckRequest(Question):
    """What the workflow asks for.

    Asked again with the same `number` it is the same question, whenever it is, and gets the same answer: whoever wants to
    know how things stand now asks with the next number.

    `person` applies; `others` are the members of the household who are asked about too. Names and identity numbers are read
    from the vault at the last moment, as they were stated in this case: `statements` by person. `facts` are what the source
    must know to answer, such as whether somebody is disabled: numbers and codes only.
    """

    case_id: str
    check: Code
    number: int = Field(ge=1)
    person: PersonReference
    others: tuple[PersonReference, ...] = Field(default=(), max_length=PEOPLE_MAX - 1)
    statements: dict[PersonReference, TextReference] = Field(default_factory=dict, max_length=PEOPLE_MAX)
    facts: dict[FactName, ToldFact] = Field(default_factory=dict, max_length=40)
    as_of: StrictTime

    @property
    def check_id(self) -> str:
        """The id of the check, fit for a URL."""
        return order_id(self.case_id, check_step(self.check, self.number))

    @property
    def question(self) -> str:
        """Which question this is."""
        return self.check_id


class CheckAnswer(Answer):
    """How asking a source ended, for the procedure.

    `facts` are those that policies/sources.yaml names for this source, all of them, when the status is CLEAR or FOUND, and
    none otherwise. `receipt` is the source's own number for its answer. `code` is set for REFUSED (the source's bare code,
    `http-<status>`, `person-erased`, `no-identity-number`) and UNREACHABLE (`unreachable`; `pending` when the source has
    the question and is not ready).
    """

    check: Code
    number: int
    status: CheckStatus
    facts: dict[FactName, FactNumber] = Field(default_factory=dict)
    receipt: str | None = None
    answered_at: StrictTime | None = None
    code: str | None = None

    @property
    def answered(self) -> bool:
        """The source has said what it knows."""
        return self.status in {CheckStatus.CLEAR, CheckStatus.FOUND}


# ---- the wire -------------------------------------------------------------------------------------------------------


class CheckedPerson(Model):
    """One of the people a check is about. Prints nothing of them.

    `document_kind`: of which document it is the number; left out for the identity number of a citizen.
    """

    model_config = ConfigDict(extra="ignore")

    name: str = Field(repr=False)
    identity_number: str = Field(repr=False)
    document_kind: str | None = None


class CheckBody(Model):
    """The body of `POST {url}/checks`. The first of `people` applies, the others are of the household."""

    model_config = ConfigDict(extra="ignore")

    check_id: str
    case_id: str
    check: Code
    number: int = Field(ge=1)
    people: tuple[CheckedPerson, ...] = Field(min_length=1, max_length=PEOPLE_MAX, repr=False)
    facts: dict[str, int | bool | str]
    as_of: StrictTime


class SourceAnswer(Model):
    """What a source answers with 200: its number for the answer, whether it has something, and what."""

    model_config = ConfigDict(extra="ignore")

    receipt: ForeignCode
    status: Literal[CheckStatus.CLEAR, CheckStatus.FOUND]
    facts: dict[str, FactNumber] = Field(max_length=100)
    answered_at: StrictTime


# ---- the register ---------------------------------------------------------------------------------------------------


class SourcePolicy(Model):
    """A source as the town knows it. `facts` are the names it answers with, each of them every time.

    `concurrent_calls` and `timeout_seconds` (real seconds for one whole call) as with departments.
    """

    code: Code
    name: Name
    gateway: Gateway
    url: str | None = None
    private: bool = False
    """Whether its address may lie in a private network: nobody is called there by accident (docs/SECURITY.md)."""

    facts: tuple[FactName, ...] = Field(min_length=1)
    concurrent_calls: int = Field(default=8, ge=1, le=64)
    timeout_seconds: float = Field(default=5.0, gt=0, le=30)


class NoSuchSource(LookupError):
    """A code that is not in policies/sources.yaml."""


class SourceRegister(Model):
    """All sources of the town; the `url` of an `http` one is complete. `without_address`: put to the desk for want of one."""

    sources: tuple[SourcePolicy, ...]
    without_address: tuple[str, ...] = ()

    def get(self, code: str) -> SourcePolicy:
        """The source with this code. Raises NoSuchSource."""
        for source in self.sources:
            if source.code == code:
                return source
        raise NoSuchSource(f"no source {code!r} in policies/sources.yaml")
