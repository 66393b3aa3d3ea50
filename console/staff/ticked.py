"""Cases that were ticked in a list: which they are, how far each had told when the form was drawn, and what came of each."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from http import HTTPStatus

from console.http.forms import Posted
from console.staff.list_page import CASES
from console.staff.sent import where_to
from engine.keys.tokens import Principal
from schemas.kernel.case import CaseState
from schemas.values.both import together
from schemas.values.refusals import Fault, in_both, say
from starter.http.authentication import acting
from starter.http.parameters import CASE_ID
from starter.http.problems import Problem, bad_request
from starter.intake.command_batch import Outcome
from starter.intake.filing import Filing

TICKED = "_case"
CASES_AT_MOST = 50
_TICKED = re.compile(r"(.+?)(?::([0-9]{1,9}))?")


@dataclass(frozen=True)
class Ticked:
    """A case that was ticked. `seen`: the entry that it had told of when the form was drawn; None: none was drawn yet."""

    case_id: str
    seen: int | None

    def written(self, seq: int) -> str:
        """As it stands in the form that is drawn now, when the case has told of entry `seq`."""
        return f"{self.case_id}:{seq if self.seen is None else self.seen}"


@dataclass(frozen=True)
class Done:
    """What came of one case, in words. `address`: where to look."""

    case_id: str
    done: bool
    words: str
    reason: str
    address: str


async def ticked_cases(filing: Filing, caller: Principal, posted: Posted) -> tuple[list[Ticked], list[CaseState]]:
    """The cases that were ticked, each once, as they stand now. Raises Problem: none, too many, or one that is not there."""
    found = {}
    for text in posted.texts.get(TICKED, ()):
        match = _TICKED.fullmatch(text)
        if match is None or not CASE_ID.fullmatch(match[1]):
            raise _none_ticked(0)
        found[match[1]] = Ticked(match[1], None if match[2] is None else int(match[2]))
    if not 1 <= len(found) <= CASES_AT_MOST:
        raise _none_ticked(len(found))
    ticked = list(found.values())
    return ticked, [await filing.reader.state(each.case_id, acting(caller)) for each in ticked]


def _none_ticked(count: int) -> Problem:
    reason = say(f"选择了{count}件", f"{count} cases are ticked")
    remedy = say(f"请在列表中选择1至{CASES_AT_MOST}件", f"tick 1 to {CASES_AT_MOST} cases in a list")
    return bad_request([Fault(field="cases", reason=reason, remedy=remedy)])


def written(ticked: Sequence[Ticked], states: Sequence[CaseState]) -> list[str]:
    """As they stand in the form that is drawn now."""
    return [each.written(state.seq) for each, state in zip(ticked, states, strict=True)]


def result_of(case_id: str, outcome: Outcome) -> Done:
    """What came of a case, in words."""
    if isinstance(outcome, Problem):
        faults = together("; ", (in_both(text) for each in outcome.faults or () for text in (each.reason, each.remedy)))
        return Done(
            case_id, False, in_both(outcome.kind.title), faults or in_both(outcome.detail), f"{CASES}/{case_id}"
        )
    address = where_to(outcome, case_id)
    if outcome.status_code == HTTPStatus.ACCEPTED:
        return Done(case_id, True, in_both(say("已受理,正在办理", "accepted, on its way")), "", address)
    return Done(case_id, True, in_both(say("已办理", "done")), "", address)


def gone_on(case_id: str) -> Done:
    """That nothing was given to a case, for others did something with it since the form was drawn."""
    words = say("未办理", "not done")
    reason = say(
        "您打开表单之后本案有了变化,请打开案件查看后再办",
        "it has gone on since you opened the form: look at the case first",
    )
    return Done(case_id, False, in_both(words), in_both(reason), f"{CASES}/{case_id}")
