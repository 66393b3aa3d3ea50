"""What a new folder of rules would change for cases that start under it. Open cases keep the rules they started with."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from engine.policies.advice_policy import FILE as ADVICE
from engine.policies.advice_policy import load_advice
from engine.policies.areas import read_areas
from engine.policies.calendars import load_calendar
from engine.policies.department_policy import load_departments
from engine.policies.document_policy import load_document_policy
from engine.policies.notice_templates import load_notice_policy
from engine.policies.office_hours import FILE as OFFICE_HOURS
from engine.policies.office_hours import load_office_hours
from engine.policies.policies import load_policy
from schemas.audit.policy_change import PolicyChange, PolicyDiff, calendar_changes, changes, flat, one_line
from schemas.kernel.procedure import Procedure
from schemas.values.areas import AreaPolicy

Sections = dict[str, dict[str, str]]
"""Rules by section and place."""

_LISTED = "categories"


def diff_policies(old: Path, new: Path, procedures: Sequence[Procedure]) -> PolicyDiff:
    """Compare two folders. Raises what their loaders raise (PolicyFaults, DepartmentPolicyFaults, CalendarFaultsError)."""
    before, after = _Rules(old, procedures), _Rules(new, procedures)
    found = list(_changes(before, after))
    return PolicyDiff(changes=tuple(found), unnumbered=tuple(_unnumbered(before, after)))


class _Rules:
    """One folder, as sections of flat rules."""

    def __init__(self, folder: Path, procedures: Sequence[Procedure]) -> None:
        register = load_departments(folder / "departments.yaml")
        codes = tuple(each.code for each in register.departments)
        self.versions: dict[str, str] = {}
        self.files: dict[str, Sections] = {}
        self.calendar = load_calendar(folder / "calendars")
        for procedure in procedures:
            policy = load_policy(procedure, folder, codes)
            plain = policy.model_dump(mode="json", exclude={"version", "departments"})
            self._add(f"{procedure.name}.yaml", policy.version, _procedure_sections(procedure.name, plain))
        documents = load_document_policy(folder)
        self._add("documents.yaml", documents.version, {"documents": _flat(documents, "version")})
        notices = load_notice_policy(folder)
        self._add("notices.yaml", notices.version, {"notices": _flat(notices, "version")})
        advice = load_advice(folder)
        self._add(ADVICE, advice.version, {"advice": _flat(advice, "version")})
        areas = read_areas(folder).areas.policy
        self._add("areas.yaml", areas.version, {"areas": _areas(areas)})
        hours = load_office_hours(folder)
        self._add(OFFICE_HOURS, hours.version, {"office hours": _flat(hours, "version")})
        departments = {each.code: one_line(_flat(each, "code")) for each in register.departments}
        self.files["departments.yaml"] = {"departments": departments}

    def _add(self, file: str, version: str, sections: Sections) -> None:
        self.versions[file] = version
        self.files[file] = sections


def _procedure_sections(procedure: str, plain: dict[str, Any]) -> Sections:
    """Limits, tiers and other terms apart from each other; each category as fields."""
    sections: Sections = {f"{procedure} limits": {}, f"{procedure} tiers": {}, f"{procedure} terms": {}}
    terms = plain.pop("terms", {})
    sections[f"{procedure} tiers"] = {
        str(number): f"after {one_line(flat(tier['after'], 'after'))}: {tier['to']}"
        for number, tier in enumerate(terms.pop("tiers", []), start=1)
    }
    limits = {place for place, is_limit in _limits(terms) if is_limit}
    for place, said in flat(terms).items():
        sections[f"{procedure} {'limits' if place in limits else 'terms'}"][place] = said
    for name, rules in plain.items():
        sections[f"{procedure} {name}"] = flat(rules)
    return sections


def _limits(value: Any, place: str = "") -> Iterator[tuple[str, bool]]:
    if isinstance(value, dict):
        if set(value) == {"amount", "unit"}:
            yield place, True
        else:
            for key, item in value.items():
                yield from _limits(item, f"{place}.{key}" if place else str(key))


def _areas(policy: AreaPolicy) -> dict[str, str]:
    plain = {code: "" for _, code, _ in policy.codes()}
    return plain | {code: one_line(flat(grid.model_dump(mode="json"))) for _, code, grid in policy.grids()}


def _flat(model: Any, *without: str) -> dict[str, str]:
    return flat(model.model_dump(mode="json", exclude=set(without)))


def _changes(before: _Rules, after: _Rules) -> Iterator[PolicyChange]:
    for file, sections in after.files.items():
        for section in {**before.files.get(file, {}), **sections}:
            old, new = before.files.get(file, {}).get(section, {}), sections.get(section, {})
            if section.endswith(_LISTED):
                old, new = _whole_where_alone(old, new), _whole_where_alone(new, old)
            yield from changes(section, old, new)
    yield from calendar_changes(before.calendar, after.calendar)


def _whole_where_alone(mine: dict[str, str], other: dict[str, str]) -> dict[str, str]:
    """A category that only one of the two has is one line; of others each field is."""
    theirs = {place.rpartition(".")[0] for place in other}
    lines: dict[str, str] = {}
    for place, said in mine.items():
        name = place.rpartition(".")[0]
        if name in theirs:
            lines[place] = said
        else:
            lines[name] = f"{lines[name]}, {said}" if name in lines else said
    return lines


def _unnumbered(before: _Rules, after: _Rules) -> Iterator[str]:
    for file, version in after.versions.items():
        if before.versions.get(file) == version and before.files[file] != after.files[file]:
            yield file
