"""`jiceng policy check|diff`: all faults of all files in one answer, and what new rules would change."""

import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from engine.runtime.settings import PROJECT
from local.commands.policy_commands import policy_app

POLICIES = PROJECT / "policies"
FAULT = re.compile(r"^(?P<file>[^:]+\.yaml):(?P<line>\d+): (?P<place>[^;]+[:;].+)$")


@pytest.fixture
def rules(tmp_path: Path) -> Path:
    """A copy of the town's rules, to be changed."""
    return Path(shutil.copytree(POLICIES, tmp_path / "rules"))


def change(folder: Path, file: str, *changes: tuple[str, str]) -> None:
    text = (folder / file).read_text(encoding="utf-8")
    for old, new in changes:
        assert old in text, old
        text = text.replace(old, new, 1)
    (folder / file).write_text(text, encoding="utf-8")


def run(*arguments: object) -> tuple[int, str]:
    result = CliRunner().invoke(policy_app, [str(argument) for argument in arguments])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result.exit_code, result.output


def checked(folder: Path) -> dict[str, Any]:
    code, output = run("check", folder, "--json")
    found: dict[str, Any] = json.loads(output)
    assert code == (0 if found["ok"] else 1)
    return found


def difference(old: Path, new: Path) -> list[tuple[str, str, str | None, str | None]]:
    code, output = run("diff", old, new, "--json")
    assert code == 0, output
    return [(each["section"], each["place"], each["before"], each["after"]) for each in json.loads(output)["changes"]]


def test_the_delivered_rules_are_good() -> None:
    """No fault, no warning, and every file of the folder was read."""
    found = checked(POLICIES)

    assert (found["faults"], found["warnings"]) == ([], [])
    assert {Path(file).relative_to(POLICIES) for file in found["files"]} == {
        file.relative_to(POLICIES) for file in POLICIES.rglob("*.*")
    }


MISTAKES = (
    ("incident.yaml", "sign: 1 working_hours", "sign: soon"),
    ("departments.yaml", "gateway: desk\n    duty_leader: service-centre.duty", "gateway: dask\n    duty_leader: x"),
    ("areas.yaml", "households: 412, residents: 1180", "households: 0, residents: 0"),
    ("documents.yaml", "  - video/mp4 ", "  - text/html "),
    ("notices.yaml", "  supervisor: [shown]", "  supervisor: [nowhere]"),
    ("calendars/2026.yaml", "2026-01-01: ", "2026-01-04: "),
)


def test_every_fault_of_every_file_is_told_with_its_line(rules: Path) -> None:
    """A mistake in each of six files: one answer names each by file, line and remedy, and the exit code is 1."""
    lines = {}
    for file, old, new in MISTAKES:
        change(rules, file, (old, new))
        text = (rules / file).read_text(encoding="utf-8")
        lines[file] = text[: text.index(new)].count("\n") + 1
    found = checked(rules)["faults"]
    told = {match["file"]: int(match["line"]) for fault in found if (match := FAULT.match(fault))}

    assert len(told) == len(MISTAKES), found
    assert all(FAULT.match(fault) for fault in found), found
    for file, line in lines.items():
        # A date that is missing has no line of its own; the calendar is told by the file.
        assert told[str(rules / file)] == line or file.startswith("calendars"), (file, line, found)


def test_a_file_that_is_no_yaml_is_told_once_and_hides_nothing(rules: Path) -> None:
    """The line that is broken, and the faults of all other files, in the same answer."""
    change(rules, "incident.yaml", ("terms:", "terms: ["))
    change(rules, "documents.yaml", ("bytes_max: 10485760", "bytes_max: 1"))
    found = checked(rules)["faults"]

    assert len([fault for fault in found if fault.startswith(f"{rules}/incident.yaml:")]) == 1
    assert any(fault.startswith(f"{rules}/documents.yaml:3: bytes_max") for fault in found)


def test_a_wrong_department_is_not_blamed_on_the_categories(rules: Path) -> None:
    """When departments.yaml itself has a fault, its codes still count for the other files."""
    change(rules, "departments.yaml", ('url: "{departments}/justice-office"', 'url: "{departments}"'))
    found = checked(rules)["faults"]

    assert len(found) == 1
    assert "entry 4 (justice-office): url" in found[0]


def test_a_missing_file_is_a_fault_and_a_strange_one_a_warning(rules: Path) -> None:
    """A misspelt file name would be a rule that nobody follows."""
    (rules / "areas.yaml").rename(rules / "aeras.yaml")
    found = checked(rules)

    assert ["areas.yaml:" in fault for fault in found["faults"]] == [True]
    assert [warning.startswith(f"{rules}/aeras.yaml:1: nobody reads") for warning in found["warnings"]] == [True]


def test_equal_rules_have_no_difference(rules: Path) -> None:
    """A copy is the same, also with other comments."""
    change(rules, "incident.yaml", ("# 签收", "# another comment"))

    assert difference(POLICIES, rules) == []
    assert "the rules are the same" in run("diff", POLICIES, rules)[1]


def test_limits_tiers_and_categories_are_told_in_the_words_of_the_file(rules: Path) -> None:
    """A shorter limit, a new tier, a category for another department, a new one and one that is gone: each its line."""
    change(
        rules,
        "incident.yaml",
        ("sign: 1 working_hours ", "sign: 30 minutes "),
        ('- {after: 14 working_hours, to: "district_office"}', '- {after: 12 hours, to: "district_office"}'),
        ("respond: 2 hours, finish: 24 hours}", "respond: 2 hours, finish: 12 hours}"),
        ("环境卫生: {department: urban-management", "环境卫生: {department: ecology-environment"),
        ("  邻里纠纷:", "  邻里矛盾:"),
    )
    found = difference(POLICIES, rules)

    assert ("incident limits", "sign", "1 working_hours", "30 minutes") in found
    assert ("incident limits", "urgencies.urgent.finish", "24 hours", "12 hours") in found
    assert (
        "incident tiers",
        "3",
        "after 14 working_hours: district_office",
        "after 12 hours: district_office",
    ) in found
    assert ("incident categories", "环境卫生.department", "urban-management", "ecology-environment") in found
    gone, new = (line for line in found if line[1] in {"邻里纠纷", "邻里矛盾"})
    assert (gone[3], new[2]) == (None, None)
    assert str(new[3]).startswith("justice-office, ordinary, ")
    assert len(found) == 6


def test_days_that_count_otherwise_are_told_one_by_one(rules: Path) -> None:
    """A notice that moves a make-up day changes two days; a year whose notice is out is no longer provisional."""
    before = (rules / "calendars" / "2026.yaml").read_text(encoding="utf-8")
    makeup = re.search(r"^- (2026-\d\d-\d\d)$", before.partition("makeup:")[2], re.MULTILINE)
    assert makeup is not None
    change(rules, "calendars/2026.yaml", (f"- {makeup[1]}\n", ""), ("2026.1", "2026.2"))

    assert difference(POLICIES, rules) == [("calendar", makeup[1], "working day", "day off")]


def test_rules_that_change_under_the_same_version_are_named(rules: Path) -> None:
    """A case keeps a version: two sets of rules under one number could not be told apart later."""
    change(rules, "areas.yaml", ("households: 412", "households: 413"))
    change(
        rules, "incident.yaml", ("sign: 1 working_hours ", "sign: 2 hours "), ('version: "2026.2"', 'version: "2026.3"')
    )
    _, output = run("diff", POLICIES, rules, "--json")

    assert json.loads(output)["unnumbered"] == ["areas.yaml"]


def test_rules_with_faults_are_not_compared(rules: Path) -> None:
    """What cannot be started with has no difference: the faults are told, with exit code 1."""
    change(rules, "incident.yaml", ("sign: 1 working_hours", "sign: soon"))
    code, output = run("diff", POLICIES, rules)

    assert code == 1
    assert "terms.sign" in output
