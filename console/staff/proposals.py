"""派单建议: what a model proposes, in words; on the page on which a form is checked, and beside what is similar."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from console.forms.sheet import Sheet
from console.staff.rows import town_word
from schemas.advice.proposals import PERCENT, Taken
from schemas.values.both import Both, shown
from starter.intake.proposers import ProposalsExplained, ProposalShown, ProposalsShown
from starter.intake.starts import Opening
from starter.intake.town_rules import TownRules

TAKEN = "_taken"
"""The button by which a proposal takes the place of what was written."""

_TAKEN_WORDS = {
    Taken.GIVEN: Both("类别由上报人选定", "whoever reported it chose the category"),
    Taken.PROPOSED: Both("上报未写类别,按首条建议派单", "reported without a category: it went by the first proposal"),
    Taken.LEFT_OPEN: Both(
        "上报未写类别,由综合协调决定", "reported without a category: left to the coordination centre"
    ),
}


@dataclass(frozen=True)
class ShownProposal:
    """A proposal. `chosen`: it is what stands in the form, or in the case."""

    category: str
    share: str
    department: str
    department_share: str
    words: str
    chosen: bool


@dataclass(frozen=True)
class ShownExplanation:
    """What was proposed for a case, by which model. `reproduced`: whether the model says the same now; None: nothing to compare."""

    first: list[ShownProposal]
    version: int
    model: str
    taken: str
    reproduced: bool | None


def proposals_in_words(
    town: TownRules, opening: Opening[Any], sheet: Sheet, proposed: ProposalsShown | None
) -> Mapping[str, Any]:
    """What the page needs on which a form is checked; nothing where nothing is proposed."""
    if proposed is None or not proposed.first:
        return {"proposed": []}
    written = "".join(sheet.texts.get(opening.declared.by_words or "", ())).strip()
    return {
        "proposed": [_shown(town, each, written) for each in proposed.first],
        "unnamed": not written,
        "taken_without_one": proposed.first[0].permille >= proposed.takes_above_permille,
    }


def explained_in_words(town: TownRules, explained: ProposalsExplained) -> ShownExplanation | None:
    """What stands beside a case; None: there is no model, or its text was erased."""
    now, recorded = explained.now, explained.recorded
    if now is None:
        return None
    chosen = recorded.first[recorded.rank - 1].category if recorded and recorded.rank else ""
    return ShownExplanation(
        first=[_shown(town, each, chosen) for each in now.first],
        version=now.version,
        model=now.model,
        taken=shown(_TAKEN_WORDS[recorded.taken]) if recorded else "",
        reproduced=explained.reproduced,
    )


def _shown(town: TownRules, each: ProposalShown, chosen: str) -> ShownProposal:
    return ShownProposal(
        category=each.category,
        share=_share(each.permille),
        department=town_word(town, each.department),
        department_share=_share(each.department_permille),
        words="、".join(each.words),
        chosen=each.category == chosen,
    )


def _share(permille: int) -> str:
    return f"{permille / PERCENT:.1f}%"
