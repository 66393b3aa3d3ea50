"""Office hours: how a town writes them down, what is wrong with them, and how they travel in a case."""

import json
import shutil
from pathlib import Path

import pytest
from pydantic import ValidationError

from engine.policies.calendars import load_calendar
from engine.policies.office_hours import load_office_hours, load_town_calendar
from engine.policies.policies import PolicyFaults
from engine.policies.policy_check import check_policies
from engine.policies.policy_diff import diff_policies
from engine.runtime.settings import PROJECT
from schemas.clocks.calendar import Calendar
from schemas.clocks.office_hours import OfficeHours
from schemas.incident import INCIDENT
from schemas.values.canonical import digest

POLICIES = PROJECT / "policies"


@pytest.fixture
def rules(tmp_path: Path) -> Path:
    """A copy of the town's rules, to be changed."""
    return Path(shutil.copytree(POLICIES, tmp_path / "rules"))


def write(rules: Path, text: str) -> None:
    (rules / "office_hours.yaml").write_text(text, encoding="utf-8")


def faults(rules: Path) -> list[str]:
    with pytest.raises(PolicyFaults) as refused:
        load_office_hours(rules)
    return [fault.removeprefix(f"{rules}/office_hours.yaml:") for fault in refused.value.faults]


def test_the_towns_calendar_has_its_office_hours() -> None:
    """What a case takes along: all years, and the hours as they are written."""
    calendar = load_town_calendar(POLICIES)

    assert calendar.office_hours is not None
    assert calendar.office_hours.model_dump(mode="json")["hours"] == ["08:30-12:00", "14:00-17:30"]
    days = load_calendar(POLICIES / "calendars")
    assert calendar.version == f"{days.version}+hours-{calendar.office_hours.version}"
    assert calendar.model_copy(update={"office_hours": None, "version": days.version}) == days


def test_calendar_comes_back_from_its_json_with_the_hours() -> None:
    """As the door reads it (strictly) and as a case reads it after a replay."""
    calendar = load_town_calendar(POLICIES)
    written = calendar.model_dump_json()

    assert Calendar.model_validate_json(written, strict=True) == calendar
    assert Calendar.model_validate(json.loads(written)) == calendar


def test_calendar_without_hours_is_written_as_it_was_before_there_were_any() -> None:
    """What an earlier case hashed keeps its hash: a calendar without hours does not name them."""
    bare = Calendar.model_validate(
        {"version": "2026.1", "years": [2026], "holidays": ["2026-01-01/2026-01-03"], "makeup": ["2026-01-04"]}
    )

    assert set(bare.model_dump(mode="json")) == {"version", "years", "provisional", "holidays", "makeup"}
    assert digest(bare) == "760dc2914aa00c4e1901f662f6c168d9fcf3ace3e68527c64fe3d2fc6d573254"
    assert Calendar.model_validate_json(bare.model_dump_json()) == bare


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        ('version: "1"\nhours:\n  - "8:30-12:00"\n', 3, "written as HH:MM-HH:MM"),
        ('version: "1"\nhours:\n  - "08:30-12:00"\n  - "12:00-25:00"\n', 4, "written as HH:MM-HH:MM"),
        ('version: "1"\nhours:\n  - "08:30-12:00"\n  - 14\n', 4, "written as HH:MM-HH:MM"),
        ('version: "1"\nhours: ["12:00-08:30"]\n', 2, "12:00-08:30 ends before it begins"),
        ('version: "1"\nhours: ["08:30-12:00", "11:30-17:30"]\n', 2, "11:30-17:30 begins before 08:30-12:00 has ended"),
        ('version: "1"\nhours: ["14:00-17:30", "08:30-12:00"]\n', 2, "begins before"),
        ('version: "1"\nhours: ["08:30-09:00"]\n', 2, "less than an hour a day"),
        ('version: "1"\nhours: []\n', 2, "write at least one"),
        ('version: "1"\nhour: ["08:30-12:00"]\n', 2, "remove it or mend its spelling"),
        ('hours: ["08:30-12:00"]\n', 1, "add it"),
    ],
)
def test_a_fault_is_told_with_line_and_remedy(rules: Path, text: str, line: int, said: str) -> None:
    """Hours that cannot be meant are refused, each at its line."""
    write(rules, text)

    assert any(fault.startswith(f"{line}: ") and said in fault and ";" in fault for fault in faults(rules))


def test_policy_check_tells_the_faults_of_the_hours_with_all_others(rules: Path) -> None:
    """A wrong opening, a wrong limit and no file at all are each a fault of the same answer as every other."""
    write(rules, 'version: "1"\nhours: ["12:00-08:30"]\n')
    incident = rules / "incident.yaml"
    incident.write_text(incident.read_text(encoding="utf-8").replace("sign: 1 hours", "sign: 1 workinghours"))
    found = check_policies(rules, [INCIDENT], [("synonyms.yaml", str)]).faults

    assert {Path(fault.partition(":")[0]).name for fault in found} >= {"incident.yaml", "office_hours.yaml"}
    (rules / "office_hours.yaml").unlink()
    with pytest.raises(PolicyFaults, match="JICENG_POLICIES"):
        load_town_calendar(rules)


def test_policy_diff_tells_other_hours_and_limits_in_them(rules: Path) -> None:
    """Other hours are one line; a limit that is now in working hours is another; the same version is named."""
    write(rules, 'version: "2026.1"\nhours: ["09:00-12:00", "14:00-17:30"]\n')
    incident = rules / "incident.yaml"
    incident.write_text(
        incident.read_text(encoding="utf-8").replace("sign: 1 working_hours ", "sign: 4 working_hours ")
    )
    found = diff_policies(POLICIES, rules, [INCIDENT])

    assert [(each.section, each.place, each.before, each.after) for each in found.changes] == [
        ("incident limits", "sign", "1 working_hours", "4 working_hours"),
        ("office hours", "hours", "08:30-12:00, 14:00-17:30", "09:00-12:00, 14:00-17:30"),
    ]
    assert found.unnumbered == ("incident.yaml", "office_hours.yaml")


def test_hours_are_texts_wherever_they_come_from() -> None:
    """Numbers in the place of an opening are refused, so that nobody has to guess what they count."""
    with pytest.raises(ValidationError):
        OfficeHours.model_validate({"version": "1", "hours": [[510, 720]]})
