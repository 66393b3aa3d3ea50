"""All files of the town's rules, checked together: every fault with file, line and remedy, in one answer."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from engine.policies.advice_policy import FILE as ADVICE
from engine.policies.advice_policy import load_advice
from engine.policies.area_shapes import FILE as SHAPES
from engine.policies.area_shapes import load_area_shapes
from engine.policies.areas import read_areas
from engine.policies.ballot_box_policy import FILE as BALLOT_BOX
from engine.policies.ballot_box_policy import load_ballot_box
from engine.policies.bank_policy import load_bank
from engine.policies.calendars import CalendarFaultsError, load_calendar
from engine.policies.call_gateway_policy import FILE as CALL_GATEWAY
from engine.policies.call_gateway_policy import load_call_gateway
from engine.policies.department_policy import DepartmentPolicyFaults, load_departments
from engine.policies.document_policy import load_document_policy
from engine.policies.notice_templates import load_notice_policy
from engine.policies.office_hours import FILE as OFFICE_HOURS
from engine.policies.office_hours import load_office_hours
from engine.policies.paper_policy import FOLDER as PAPERS
from engine.policies.paper_policy import load_papers
from engine.policies.policies import PolicyFaults, load_policy
from engine.policies.policy_files import PolicyFile
from engine.policies.privacy_policy import load_privacy_policy
from engine.policies.registers import RegisterFaults
from engine.policies.site_policy import load_site_policy
from engine.policies.source_policy import load_sources
from engine.policies.webhook_policy import FILE as WEBHOOKS
from engine.policies.webhook_policy import load_webhooks
from schemas.kernel.procedure import Procedure

_ENTRY = re.compile(r"entry (?P<number>\d+) \([^)]*\): (?P<field>[^:]+):")
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
_OWN = (
    "departments",
    "documents",
    "areas",
    "notices",
    "office_hours",
    "sources",
    "banks",
    "ballot_box",
    "call_gateway",
    "privacy",
    "site",
    "webhooks",
    "open311",
    "advice",
)
Loader = Callable[[Path], object]
"""Reads a further file of the folder; raises PolicyFaults."""


@dataclass
class PolicyReport:
    """What a check found. `files` were read; `warnings` do not keep a town from starting."""

    files: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        """Whether a town can start with these rules."""
        return not self.faults


def check_policies(
    folder: Path, procedures: Iterable[Procedure], further: Iterable[tuple[str, Loader]] = ()
) -> PolicyReport:
    """Check a whole folder. `procedures`: all of the town's; `further` are files that others read: their names and how."""
    report = PolicyReport()
    codes = _departments(folder, report)
    everyone = tuple(procedures)
    named = {procedure.name: procedure for procedure in everyone if procedure.policy is not None}
    for name, procedure in named.items():
        _try(report, folder / f"{name}.yaml", lambda file, of=procedure: load_policy(of, file.parent, codes))  # type: ignore[misc]
    _try(report, folder / "documents.yaml", lambda file: load_document_policy(file.parent))
    _try(report, folder / "notices.yaml", lambda file: load_notice_policy(file.parent, everyone))
    report.files.extend(str(file) for file in sorted((folder / "notices").glob("*.yaml")))
    _try(report, folder / "sources.yaml", load_sources)
    _try(report, folder / "banks.yaml", load_bank)
    if (folder / BALLOT_BOX).exists():  # a town without one votes on paper
        _try(report, folder / BALLOT_BOX, load_ballot_box)
    if (folder / CALL_GATEWAY).exists():  # in a town without one people call
        _try(report, folder / CALL_GATEWAY, load_call_gateway)
    _try(report, folder / "privacy.yaml", lambda file: load_privacy_policy(file.parent, named.values()))
    _try(report, folder / "areas.yaml", lambda file: report.warnings.extend(read_areas(file.parent).warnings))
    if report.ok:
        report.faults.extend(_areas_that_are_none(folder, named, codes))
    if (folder / SHAPES).is_file():
        _try(report, folder / SHAPES, lambda file: load_area_shapes(file.parent, read_areas(file.parent).areas))
    if (folder / ADVICE).exists():  # a town without one goes by the defaults
        _try(report, folder / ADVICE, lambda file: load_advice(file.parent))
    if (folder / WEBHOOKS).exists():  # a town that tells nobody has none
        _try(report, folder / WEBHOOKS, lambda file: load_webhooks(file.parent, everyone))
    _try(report, folder / "site.yaml", lambda file: load_site_policy(file.parent))
    _try(report, folder / OFFICE_HOURS, lambda file: load_office_hours(file.parent))
    report.files.extend(str(file) for file in sorted((folder / PAPERS).glob("*.yaml")))
    try:
        load_papers(folder)
    except PolicyFaults as faults:
        report.faults.extend(faults.faults)
    for name, loader in further:
        _try(report, folder / name, loader)
    _calendars(folder / "calendars", report)
    report.faults = list(dict.fromkeys(report.faults))  # an unreadable file is told once, whoever needed it
    known = {*(f"{name}.yaml" for name in (*_OWN, *named)), *(name for name, _ in further)}
    report.warnings.extend(
        f"{file}:1: nobody reads this file; mend its name or remove it"
        for file in sorted(folder.glob("*.y*ml"))
        if file.name not in known
    )
    return report


def _areas_that_are_none(
    folder: Path, procedures: Mapping[str, Procedure], departments: tuple[str, ...]
) -> Iterator[str]:
    """Areas that a policy names and areas.yaml does not have: what is held there, nobody would see."""
    areas = read_areas(folder).areas
    for name, procedure in procedures.items():
        file = folder / f"{name}.yaml"
        for place, code in load_policy(procedure, folder, departments).areas_named().items():
            if not areas.exists(code):
                near = ", ".join(areas.nearest(code))
                yield from _with_lines(file, [f"{file}: {place}: {code} is no area of areas.yaml; write one of {near}"])


def _try(report: PolicyReport, file: Path, load: Loader) -> None:
    report.files.append(str(file))
    try:
        load(file)
    except (PolicyFaults, RegisterFaults) as faults:
        report.faults.extend(_with_lines(file, faults.faults))


def _departments(folder: Path, report: PolicyReport) -> tuple[str, ...]:
    """The codes of the departments; as far as they can be read, so that other files are not blamed for these faults."""
    file = folder / "departments.yaml"
    report.files.append(str(file))
    try:
        return tuple(each.code for each in load_departments(file).departments)
    except DepartmentPolicyFaults as faults:
        report.faults.extend(_with_lines(file, faults.faults))
    try:
        content: Any = PolicyFile(file).content.get("departments")
    except PolicyFaults:
        return ()
    entries = content if isinstance(content, list) else []
    return tuple(str(entry["code"]) for entry in entries if isinstance(entry, dict) and "code" in entry)


def _calendars(folder: Path, report: PolicyReport) -> None:
    report.files.extend(str(file) for file in sorted(folder.glob("*.yaml")))
    try:
        load_calendar(folder)
    except CalendarFaultsError as faults:
        for fault in faults.faults:
            name, _, said = fault.partition(": ")
            report.faults.append(_calendar_fault(folder / name, said) if said else fault)


def _calendar_fault(file: Path, said: str) -> str:
    """With the line of the date it speaks of, or of the field it names."""
    named = _DATE.search(said)
    words = named[0] if named else said.partition(":")[0].split(" ")[0].split(".")[-1]
    lines = file.read_text(encoding="utf-8", errors="replace").splitlines() if file.is_file() else []
    line = next((number for number, text in enumerate(lines, start=1) if words in text.partition("#")[0]), 1)
    return f"{file}:{line}: {said}"


def _with_lines(file: Path, faults: Iterable[str]) -> Iterator[str]:
    """Faults that were told without a line, with it."""
    try:
        rules = PolicyFile(file)
    except PolicyFaults as unreadable:
        # Told here with its line; what the reader said of it is the same without.
        yield from unreadable.faults
        return
    for fault in faults:
        said = fault.removeprefix(f"{file}: ")
        if said == fault:
            yield fault
        elif (entry := _ENTRY.match(said)) is not None:
            # The list of a register is called as its file.
            place = [file.stem, str(int(entry["number"]) - 1), *entry["field"].split(".")]
            yield f"{file}:{rules.line(place)}: {said}"
        else:
            yield rules.placed(said)
