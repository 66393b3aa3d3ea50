"""How the simulated call gateway fares with a number, and the words by which a story tells it: behind the number.

13900001111〔剧本:不接〕            whoever has this number lets it ring
13900001111〔剧本:迟报〕            they answer, and the gateway says so five minutes later
"""

import json
from dataclasses import dataclass
from enum import StrEnum

from local.simulation.department_book import DepartmentReport
from local.simulation.directions import UnreadableDirection, word_for
from schemas.contracts.calls import CallBody, CallResult

__all__ = ["CallCharacter", "CallPlan", "UnreadableDirection", "call_plan", "character_of"]

ANSWERED_SECONDS = 5.0
LATE_SECONDS = 300.0
"""Town seconds from the call until it is over, and until a late report of it comes."""


class CallCharacter(StrEnum):
    """What comes of a call.

    DOWN      503, whenever the gateway is asked about this number
    FLAKY     503; then it has the call and does not answer; then it answers, and so does the person
    UNKNOWN   there is no such number
    UNTOLD    the person presses the key, and no report is ever sent: only who asks learns of it
    LATE      the same, and the report comes after five minutes; until then it is said to ring
    TWICE     the same, and the report comes twice
    """

    ANSWERS = "answers"
    WRONG_KEY = "wrong_key"
    HANGS_UP = "hangs_up"
    NO_ANSWER = "no_answer"
    BUSY = "busy"
    SWITCHED_OFF = "switched_off"
    DOWN = "down"
    FLAKY = "flaky"
    UNKNOWN = "unknown"
    UNTOLD = "untold"
    LATE = "late"
    TWICE = "twice"


WORDS = {
    "应答": CallCharacter.ANSWERS,
    "按错": CallCharacter.WRONG_KEY,
    "挂断": CallCharacter.HANGS_UP,
    "不接": CallCharacter.NO_ANSWER,
    "占线": CallCharacter.BUSY,
    "关机": CallCharacter.SWITCHED_OFF,
    "中断": CallCharacter.DOWN,
    "时断时续": CallCharacter.FLAKY,
    "空号": CallCharacter.UNKNOWN,
    "默应": CallCharacter.UNTOLD,
    "迟报": CallCharacter.LATE,
    "重报": CallCharacter.TWICE,
} | {character.value: character for character in CallCharacter}

_RESULTS = {
    CallCharacter.WRONG_KEY: CallResult.WRONG_KEY,
    CallCharacter.HANGS_UP: CallResult.HUNG_UP,
    CallCharacter.NO_ANSWER: CallResult.NO_ANSWER,
    CallCharacter.BUSY: CallResult.BUSY,
    CallCharacter.SWITCHED_OFF: CallResult.SWITCHED_OFF,
}
"""Of all others that are called somebody presses the key."""


def character_of(gateway: str, to: str, usual: CallCharacter) -> CallCharacter:
    """How the gateway fares with this number. Raises UnreadableDirection."""
    word = word_for(gateway, to)
    if word is None:
        return usual
    try:
        return WORDS[word]
    except KeyError:
        raise UnreadableDirection(f"no such word: {word!r}; write one of {'、'.join(WORDS)}") from None


@dataclass(frozen=True)
class CallPlan:
    """What comes of a call: `result` is known to who asks from `over_real` on (Unix seconds); `told` reports say so then."""

    result: CallResult
    over_real: float
    told: int

    def reports(self, body: CallBody) -> list[DepartmentReport]:
        """The reports that will be sent, ready for the wire: the same one as often as it is told."""
        name = body.call_id.replace("/", ".")
        report = {
            "report_id": f"{name}.over",
            "call_id": body.call_id,
            "result": self.result,
            "as_of": body.as_of.isoformat(),
        }
        content = json.dumps(report).encode()
        return [
            DepartmentReport(body.call_id, number, f"{name}.over", self.result, content, self.over_real)
            for number in range(1, self.told + 1)
        ]


def call_plan(body: CallBody, character: CallCharacter, *, now: float, speed: float) -> CallPlan:
    """What will come of this call. `now` is real time in Unix seconds, `speed` town seconds per real second."""
    seconds = ANSWERED_SECONDS
    if character is CallCharacter.NO_ANSWER:
        seconds = float(body.ring_seconds)
    elif character is CallCharacter.LATE:
        seconds = LATE_SECONDS
    told = {CallCharacter.UNTOLD: 0, CallCharacter.TWICE: 2}.get(character, 1)
    return CallPlan(_RESULTS.get(character, CallResult.ACKNOWLEDGED), now + seconds / speed, told)
