"""How a case appears in Temporal from its first moment, whoever starts it: the API, or another case."""

from datetime import timedelta

from schemas.kernel.case import CaseState
from schemas.values.search_attributes import AREA, DEPARTMENT, HOLDER, STAGE

# A worker killed with -9 would stall its cases for ten seconds; with this and the sticky patience it is under four.
TASK_TIMEOUT = timedelta(seconds=4)


def summary_of(title: str, state: CaseState) -> str:
    """What the case is, for the Temporal UI: codes and the town's own categories only; with whom it begins tells children apart."""
    return " · ".join(part for part in (title, *state.labels().values(), state.department, state.area) if part)


def details_of(state: CaseState) -> str:
    """Under which rules it began, in Markdown."""
    charter = state.charter
    lines = {
        "立案 opened": f"{state.opened_at:%Y-%m-%d %H:%M}",
        "政策版本 policy": charter.policy_version,
        "日历版本 calendar": charter.calendar.version,
    }
    return "\n\n".join(f"**{name}**: {value}" for name, value in lines.items())


def keywords_of(state: CaseState) -> dict[str, str]:
    """Its search attributes by name, also the blank ones. Whatever changes with every command is none of them (decision 0004)."""
    kept = {STAGE: state.stage, DEPARTMENT: state.department or "", HOLDER: state.holder, AREA: state.area}
    return kept if state.charter.lists_stage else {name: kept[name] for name in (DEPARTMENT, AREA)}


def first_keywords_of(state: CaseState) -> dict[str, str]:
    """The search attributes it starts with; what is blank is not set."""
    return {name: value for name, value in keywords_of(state).items() if value}
