"""Departments: the contract by which orders go out and answers come back (docs/departments.md).

DepartmentPolicy, DepartmentRegister      an entry of policies/departments.yaml; all of them
WorkOrder -> Receipt                      what we send; what a department answers at once
CallbackBody                              what it reports later: signed, returned, arrived, finished
PlaceOrder -> OrderReceipt                what the workflow asks of the activity; texts by reference only
RecallOrder -> RecallReceipt                its end for the department that has it
ReworkOrder -> ReworkReceipt, Rework      work that was reported done and is not: what the workflow asks, what we send
"""

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import AfterValidator, AwareDatetime, ConfigDict, Field, StringConstraints, TypeAdapter

from schemas.contracts.question import Answer, Question
from schemas.values.account import NotOfAPerson
from schemas.values.case_number import CaseNumber, OrderNumber
from schemas.values.foreign_code import ForeignCode
from schemas.values.free_text import TEXT_LIMIT, checked_text
from schemas.values.model import Model
from schemas.values.references import TextReference
from schemas.values.typed_code import Tidied

IDEMPOTENCY_HEADER = "Idempotency-Key"
LONGEST_CALLBACK_BYTES = 64 * 1024

Code = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=48), Tidied]
"""The code of a department, a step or a refusal: small letters, digits and single hyphens; a dot or slash never."""

Text = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=TEXT_LIMIT), AfterValidator(checked_text)
]
"""Free text, of which something can be seen, up to 4,000 characters."""

StrictTime = Annotated[AwareDatetime, Field(strict=True)]
"""Town time with its offset, ISO 8601. Strict, because a bare number would be read as a time in 1970."""


Latitude = Annotated[int, Field(ge=-90_000_000, le=90_000_000)]
Longitude = Annotated[int, Field(ge=-180_000_000, le=180_000_000)]
"""Integer micro-degrees, WGS 84."""


class Gateway(StrEnum):
    """How a department is reached: by our JSON contract, or by its people at their desks through the API."""

    HTTP = "http"
    DESK = "desk"


def order_id(case_id: str, step: str) -> str:
    """The id of a work order: it stands in URLs, so a dot where the idempotency key has a slash. A step has no dot."""
    return f"{case_id}.{step}"


def idempotency_key(case_id: str, step: str) -> str:
    """The key under which one order is placed, however often it has to be sent: `CASE/STEP`. `step` is `order-NUMBER`."""
    return f"{case_id}/{step}"


def callback_path(department: str) -> str:
    """Where on our API a department reports; the key that must have signed follows from the code."""
    return f"/api/v1/departments/{department}/callbacks"


class Place(Model):
    """Where it is. Coordinates are integer micro-degrees (WGS 84); an address that was not stated is null."""

    address: str | None = None
    latitude_microdegrees: Latitude | None = None
    longitude_microdegrees: Longitude | None = None


class WorkOrder(Model):
    """The body of `POST {url}/work-orders`. Who reported it is not in it.

    `due` names the end of each clock that runs, in town time. A receiver ignores fields it does not know, so that
    one can be added.
    """

    model_config = ConfigDict(extra="ignore")

    order_id: str
    case_id: str
    step: str
    procedure: str
    category: str
    urgency: str
    title: str | None = None
    description: str
    location: Place
    due: dict[str, StrictTime]
    as_of: StrictTime
    callback_url: str


class ReworkCause(StrEnum):
    """Why work that was reported done comes back."""

    VERIFICATION_FAILED = "verification_failed"
    NOT_SOLVED = "not_solved"


def rework_step(number: int) -> str:
    """The step of a rework. `number` counts the reworks of the case, so it is never used twice."""
    return f"rework-{number}"


def rework_key(case_id: str, step: str, number: int) -> str:
    """The key under which one rework is asked for: that of its order, and which one it is: `CASE/STEP/rework-NUMBER`."""
    return f"{idempotency_key(case_id, step)}/{rework_step(number)}"


class Rework(Model):
    """The body of `POST {url}/work-orders/{order_id}/reworks`: the work of an order is to be done again.

    `reason` is what the verifier or the resident wrote; null when nobody wrote anything. `due` as in the order.
    """

    model_config = ConfigDict(extra="ignore")

    order_id: str
    case_id: str
    step: str
    number: Annotated[int, Field(ge=1)]
    cause: ReworkCause
    reason: str | None = None
    due: dict[str, StrictTime]
    as_of: StrictTime
    callback_url: str


class Receipt(Model):
    """A department's answer to an order or a rework: its own number for it, and when it took it. A repeat gets the very same."""

    model_config = ConfigDict(extra="ignore")

    receipt: ForeignCode
    accepted_at: StrictTime


class CallbackAct(StrEnum):
    """What a department reports. Which command its people would give for it at the desk, its procedure says."""

    SIGNED = "signed"
    RETURNED = "returned"
    ARRIVED = "arrived"
    FINISHED = "finished"


class _Callback(Model):
    """What every report carries. `callback_id` is its idempotency key, `by` the officer's account, never a name."""

    callback_id: ForeignCode
    order_id: OrderNumber
    case_id: CaseNumber
    by: Annotated[ForeignCode, NotOfAPerson]
    as_of: StrictTime


class SignedCallback(_Callback):
    """The department takes the order."""

    act: Literal[CallbackAct.SIGNED]


class ArrivedCallback(_Callback):
    """Its people are on the spot."""

    act: Literal[CallbackAct.ARRIVED]


class ReturnedCallback(_Callback):
    """The department does not take the order, and says why and by which rule."""

    act: Literal[CallbackAct.RETURNED]
    reason: Text
    legal_basis: Text


class FinishedCallback(_Callback):
    """The work is done, and what was done."""

    act: Literal[CallbackAct.FINISHED]
    result: Text


CallbackBody = Annotated[
    SignedCallback | ArrivedCallback | ReturnedCallback | FinishedCallback, Field(discriminator="act")
]
"""The body of `POST {callback_url}`: one of four, told apart by `act`."""

_CALLBACK: TypeAdapter[CallbackBody] = TypeAdapter(CallbackBody)


def read_callback(body: bytes) -> CallbackBody:
    """Read a callback from the bytes that were signed. Raises pydantic's ValidationError with every fault at once."""
    return _CALLBACK.validate_json(body)


class PlaceOrder(Question):
    """What the workflow asks for: the texts are references into the vault, read at the last moment by the activity.

    What cannot be sent is refused here, in the workflow, not in an activity that would be tried for ever. `step` is
    unique in the case and stays the same in every attempt (`dispatch-1`, `dispatch-2` after a redispatch).
    """

    case_id: str
    step: Code
    department: str
    procedure: str
    category: str
    urgency: str
    title: TextReference | None = None
    description: TextReference
    address: TextReference | None = None
    latitude_microdegrees: Latitude | None = None
    longitude_microdegrees: Longitude | None = None
    due: dict[str, StrictTime]
    as_of: StrictTime

    @property
    def order_id(self) -> str:
        """The id of the order."""
        return order_id(self.case_id, self.step)

    @property
    def texts(self) -> Sequence[TextReference]:
        """The references to be read."""
        return [reference for reference in (self.title, self.description, self.address) if reference is not None]

    @property
    def question(self) -> str:
        """Which question this is."""
        return self.order_id


class OrderReceipt(Answer):
    """How placing an order ended. `accepted` false is a fact for the procedure: trying again will not help.

    `code` and `reason` of a refusal are ours or a bare code of the department's; never its free text.
    """

    order_id: str
    department: str
    gateway: Gateway
    accepted: bool
    receipt: str | None = None
    accepted_at: datetime | None = None
    code: str | None = None
    reason: str | None = None


class RecallOrder(Question):
    """Take an order back, since the coordinator gave it to somebody else."""

    case_id: str
    step: Code
    department: str

    @property
    def order_id(self) -> str:
        """The id of the order."""
        return order_id(self.case_id, self.step)

    @property
    def question(self) -> str:
        """Which question this is."""
        return self.order_id


class RecallReceipt(Answer):
    """How taking an order back ended. One that the department never had counts as taken back."""

    order_id: str
    department: str
    done: bool
    code: str | None = None
    reason: str | None = None


class ReworkOrder(Question):
    """Ask the department that holds an order to do its work again. `step` is the order's."""

    case_id: str
    step: Code
    number: int = Field(ge=1)
    department: str
    cause: ReworkCause
    reason: TextReference | None = None
    due: dict[str, StrictTime]
    as_of: StrictTime

    @property
    def order_id(self) -> str:
        """The id of the order."""
        return order_id(self.case_id, self.step)

    @property
    def question(self) -> str:
        """Which question this is."""
        return f"{self.order_id}/{rework_step(self.number)}"


class ReworkReceipt(Answer):
    """How asking for a rework ended. `lost`: the department knows no such order, so it has to be given anew."""

    order_id: str
    department: str
    accepted: bool
    lost: bool = False
    receipt: str | None = None
    code: str | None = None
    reason: str | None = None
