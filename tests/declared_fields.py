"""Every field of every model that takes what comes from outside, with its declared type: for laws about fields."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin, get_type_hints

from pydantic import BaseModel

from schemas.ballot_state import BoxCode
from schemas.clocks.moments import DayOfYear
from schemas.contracts.department import (
    ArrivedCallback,
    Code,
    FinishedCallback,
    Receipt,
    ReturnedCallback,
    SignedCallback,
    Text,
)
from schemas.contracts.means import FactName, SourceAnswer
from schemas.contracts.payment import BankPayment, BatchAnswer, Month, PaymentKey, ReturnNotice, StatementPage
from schemas.incident_report import IncidentReport
from schemas.parts.ballots import Digest, UnitCode
from schemas.parts.items import ItemCode
from schemas.parts.quorum import ChoiceCode
from schemas.proposal_commands import InvoiceNumber
from schemas.values.account import AccountCode
from schemas.values.bank_account import BankAccount
from schemas.values.case_number import CaseNumber, IncidentNumber, MotionNumber, OrderNumber
from schemas.values.document import DocumentReference
from schemas.values.foreign_code import ForeignCode, SaidCode
from schemas.values.free_text import FreeText, ShortText
from schemas.values.location import AreaCode
from schemas.values.organisation import OrganisationCode
from schemas.values.references import PersonReference, TextReference
from schemas.welfare_application import WelfareApplication
from schemas.welfare_commands import NamedFact
from schemas.whistle_call import WhistleCall
from starter.http.command_bodies import command_body_of
from tests.every_procedure import PROCEDURE_LIST

DOORS = {
    (procedure.name, name): command_body_of(command).model
    for procedure in PROCEDURE_LIST
    for name, command in procedure.commands.items()
}
"""The bodies of all commands, as people send them."""

OPENINGS: tuple[type[BaseModel], ...] = (IncidentReport, WhistleCall, WelfareApplication)
CALLBACKS: tuple[type[BaseModel], ...] = (SignedCallback, ArrivedCallback, ReturnedCallback, FinishedCallback)
ANSWERS: tuple[type[BaseModel], ...] = (Receipt, SourceAnswer, BankPayment, BatchAnswer, StatementPage)
OUTSIDE: tuple[type[BaseModel], ...] = (*OPENINGS, *DOORS.values(), *CALLBACKS, ReturnNotice, *ANSWERS)
"""Every model that somebody outside fills in: people, departments, the bank, sources."""

DECLARED: Mapping[str, Any] = {
    "text reference": TextReference,
    "person reference": PersonReference,
    "document reference": DocumentReference,
    "unit code": UnitCode,
    "box code": BoxCode,
    "digest": Digest,
    "foreign code": ForeignCode,
    "account code": AccountCode,
    "bank account": BankAccount,
    "said code": SaidCode,
    "code": Code,
    "free text": FreeText,
    "short text": ShortText,
    "text": Text,
    "area": AreaCode,
    "month": Month,
    "day of year": DayOfYear,
    "payment key": PaymentKey,
    "fact name": FactName,
    "named fact": NamedFact,
    "case number": CaseNumber,
    "incident number": IncidentNumber,
    "motion number": MotionNumber,
    "order number": OrderNumber,
    "invoice number": InvoiceNumber,
    "organisation code": OrganisationCode,
    "choice code": ChoiceCode,
    "item code": ItemCode,
}
FOREIGN = frozenset({"foreign code", "account code"})
INTO_THE_VAULT = frozenset({
    ("Reporter", "name"), ("Reporter", "phone"), ("Member", "name"), ("Member", "identity_number"), ("IdentityDocument", "number"),
    ("Applicant", "name"), ("Applicant", "identity_number"), ("Applicant", "phone"), ("WelfareApplication", "account"),
})  # fmt: skip
"""Strings of no type of their own that only the vault ever sees."""
WITH_A_PATTERN = frozenset({("Document", "sha256"), ("Document", "media_type")})
CHECKED_WHOLE = frozenset({("Calendar", "version"), ("OfficeHours", "version")})
"""Versions of a calendar: the door of `replan` looks at the calendar as a whole."""
ONLY_NAMES_OF_THE_REGISTER = frozenset({("SourceAnswer", "facts")})
"""Names that a source may choose, of which only those that the town's register names are taken (engine/outside/sources.py)."""


@dataclass(frozen=True)
class Field:
    """A string somewhere in a model: where, in which model it stands, and as what it was declared ("" as nothing)."""

    model: str
    name: str
    place: str
    kind: Any
    declared: str


def strings_of(model: type[BaseModel]) -> list[Field]:
    """Every string that a model can hold, also deep inside."""
    return list(_strings(model, "", (model.__name__, "")))


def _strings(kind: Any, place: str, of: tuple[str, str]) -> Iterator[Field]:
    if kind is str:
        yield Field(*of, place, kind, "")
    elif get_origin(kind) is Annotated and get_args(kind)[0] is str:
        yield Field(*of, place, kind, _declared(kind))
    elif isinstance(kind, type) and issubclass(kind, BaseModel):
        hints = get_type_hints(kind, include_extras=True)
        for name, info in kind.model_fields.items():
            hint = Annotated[hints[name], *info.metadata] if info.metadata and hints[name] is str else hints[name]
            yield from _strings(hint, f"{place}.{name}".strip("."), (kind.__name__, name))
    else:
        for inner, deeper in _inside(kind, place):
            yield from _strings(inner, deeper, of)


def _inside(kind: Any, place: str) -> Iterator[tuple[Any, str]]:
    """What a kind is made of."""
    origin, kinds = get_origin(kind), get_args(kind)
    if origin is Annotated:
        yield kinds[0], place
    elif origin in (Union, UnionType):
        yield from ((each, place) for each in kinds)
    elif origin in (list, tuple, set, frozenset):
        yield from ((each, f"{place}[]") for each in kinds)
    elif origin in (dict, Mapping):
        yield from ((kinds[0], f"{place}{{}}"), (kinds[1], f"{place}.*"))


def _declared(kind: Any) -> str:
    """The declared type that this one is, or begins with: further limits of one field make no other type of it."""
    said = kind.__metadata__
    for name, declared in DECLARED.items():
        meant = declared.__metadata__
        if meant and all(any(each == one for one in said) for each in meant):
            return name
    return ""
