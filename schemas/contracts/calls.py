"""The call gateway 呼叫网关: the contract by which somebody is called by telephone and answers by a key (docs/call-gateway.md).

CallGatewayPolicy            policies/call_gateway.yaml
Dial -> Dialled              what the workflow asks of the activity: which line of a text in the vault, never the number
CallAsk -> CallWord          what became of a call of which no word came
SendText -> TextSent         a short message to the same line
CallBody, TextBody           what goes over the wire to the gateway, signed by the town
CallReport, CallStanding     what it reports, signed with its key; what it says when it is asked

The number is read from the vault when it is dialled. It stands in no history, log, metric or error of ours.
"""

import re
from enum import StrEnum
from typing import Annotated

from pydantic import ConfigDict, Field, StringConstraints

from schemas.contracts.department import Code, Gateway, StrictTime, idempotency_key
from schemas.contracts.department_policy import Name
from schemas.contracts.question import Answer, Question
from schemas.values.case_number import CASE_NUMBER, CaseNumber
from schemas.values.foreign_code import ForeignCode
from schemas.values.model import Model
from schemas.values.references import TextReference

LONGEST_REPORT_BYTES = 4_000
KEY_TO_PRESS = "1"
"""Who presses it has heard what was said. Whoever only picks up may have heard nothing."""

CallKey = Annotated[str, StringConstraints(pattern=rf"^{CASE_NUMBER}/(call|text)-[1-9][0-9]{{0,3}}$", max_length=400)]
"""One call or text, however often it is asked for: `CASE/call-NUMBER`."""

_NUMBER = re.compile(r"\+?[0-9][0-9-]{2,18}[0-9]")
_LINE_ENDS = re.compile(r"\s+")


class CallGatewayPolicy(Model):
    """The call gateway of the town. `desk`: it has none, and people call by hand.

    `voice`: what is said to a contact, before they are asked to press the key; `text`: the message to one who was not reached.
    Neither names anybody: who picks up a telephone may be anybody.
    """

    code: Code
    name: Name
    gateway: Gateway
    url: str | None = None
    private: bool = False
    """Whether its address may lie in a private network: nobody is called there by accident (docs/SECURITY.md)."""

    voice: Name
    text: Name
    ring_seconds: int = Field(default=45, ge=10, le=120)
    concurrent_calls: int = Field(default=8, ge=1, le=64)
    timeout_seconds: float = Field(default=5.0, gt=0, le=20)


class CallStatus(StrEnum):
    """How asking the gateway ended.

    RINGING      it has the call, and reports what became of it
    ENDED        the call is over: `result` says how
    SENT         it has the message
    REFUSED      it will never do this: `code` says why
    NO_NUMBER    that line of the text holds no number, or the person was erased
    NO_GATEWAY   the town has none
    UNREACHABLE  no usable answer within the time for it
    """

    RINGING = "ringing"
    ENDED = "ended"
    SENT = "sent"
    REFUSED = "refused"
    NO_NUMBER = "no_number"
    NO_GATEWAY = "no_gateway"
    UNREACHABLE = "unreachable"


class CallResult(StrEnum):
    """What became of a call. Only ACKNOWLEDGED is an answer: somebody heard it, and pressed the key."""

    ACKNOWLEDGED = "acknowledged"
    WRONG_KEY = "wrong_key"
    HUNG_UP = "hung_up"
    NO_ANSWER = "no_answer"
    BUSY = "busy"
    SWITCHED_OFF = "switched_off"


class _OfCall(Question):
    case_id: str
    number: int = Field(ge=1)
    as_of: StrictTime

    @property
    def key(self) -> str:
        """The call that it is about."""
        return call_key(self.case_id, self.number)


class Dial(_OfCall):
    """Call the number that stands on this line of a text. `number`: which call of the case it is."""

    numbers: TextReference
    line: int = Field(ge=1)

    @property
    def question(self) -> str:
        """Which question this is."""
        return self.key


class Dialled(Answer):
    """How it ended: RINGING, or why not."""

    call: str
    status: CallStatus
    code: str | None = None


class CallAsk(_OfCall):
    """Ask what became of a call."""

    @property
    def question(self) -> str:
        """Which question this is."""
        return f"{self.key}/asked"


class CallWord(Answer):
    """What the gateway says of it: RINGING still, ENDED with a result, REFUSED: it never had it; or no word."""

    call: str
    status: CallStatus
    result: CallResult | None = None
    code: str | None = None


class SendText(_OfCall):
    """Send the message to whoever was called in vain."""

    numbers: TextReference
    line: int = Field(ge=1)

    @property
    def question(self) -> str:
        """Which question this is."""
        return idempotency_key(self.case_id, f"text-{self.number}")


class TextSent(Answer):
    """How it ended: SENT, or why not."""

    call: str
    status: CallStatus
    code: str | None = None


# ---- over the wire ----------------------------------------------------------------------------------------------------


class CallBody(Model):
    """The body of `POST {url}/calls`. `to`: the number as it was written; the case is named by its number alone."""

    call_id: CallKey
    to: str = Field(max_length=60)
    voice: Name
    key: str = KEY_TO_PRESS
    ring_seconds: int
    as_of: StrictTime
    report_url: str


class TextBody(Model):
    """The body of `POST {url}/messages`."""

    text_id: CallKey
    to: str = Field(max_length=60)
    text: Name
    as_of: StrictTime


class CallReport(Model):
    """The body of `POST {report_url}`: what became of a call. It may come more than once, always with the same `report_id`.

    Fields we do not know are refused, so that a misspelt one is not lost.
    """

    report_id: ForeignCode
    call_id: CallKey
    result: CallResult
    as_of: StrictTime

    @property
    def case_id(self) -> CaseNumber:
        """The case that called."""
        return self.call_id.partition("/")[0]

    @property
    def number(self) -> int:
        """Which of its calls."""
        return int(self.call_id.rpartition("-")[2])


class CallStanding(Model):
    """What `GET {url}/calls/{call_id}` answers. `result` None: it still rings."""

    model_config = ConfigDict(extra="ignore")

    result: CallResult | None = None


def call_key(case_id: str, number: int) -> str:
    """The key of a call: its number in the case, so that two calls are two, and one that is asked for twice is one."""
    return idempotency_key(case_id, f"call-{number}")


def report_path(gateway: str) -> str:
    """Where on our API a gateway reports; the key that must have signed follows from the code."""
    return f"/api/v1/call-gateways/{gateway}/reports"


def number_on(text: str, line: int) -> str | None:
    """The telephone number on a line of a text, as people write it: the last word of the line; None: there is none.

    A stage direction may stand behind it (docs/call-gateway.md): only the simulated gateway reads it.
    """
    lines = [each for each in text.splitlines() if each.strip()]
    if not 1 <= line <= len(lines):
        return None
    last = _LINE_ENDS.split(lines[line - 1].strip())[-1]
    return last if _NUMBER.match(last) and len(last) <= CallBody.model_fields["to"].metadata[0].max_length else None
