"""The town's rules for incidents, as a file."""

import shutil
from pathlib import Path

import pytest

from engine.policies.department_policy import load_departments
from engine.policies.policies import PolicyFaults, load_policy
from engine.policies.policy_check import check_policies
from engine.runtime.settings import PROJECT
from schemas.distress import DISTRESS
from schemas.incident import INCIDENT
from schemas.incident_policy import IncidentPolicy

POLICIES = PROJECT / "policies"
CODES = tuple(each.code for each in load_departments(POLICIES / "departments.yaml").departments)


def changed(folder: Path, *changes: tuple[str, str]) -> Path:
    """A folder with the town's rules, changed here and there."""
    text = (POLICIES / "incident.yaml").read_text(encoding="utf-8")
    for old, new in changes:
        assert old in text
        text = text.replace(old, new, 1)
    (folder / "incident.yaml").write_text(text, encoding="utf-8")
    return folder


def faults(folder: Path) -> list[str]:
    """What is wrong with the rules in a folder."""
    with pytest.raises(PolicyFaults) as refused:
        load_policy(INCIDENT, folder, CODES)
    return refused.value.faults


def test_the_towns_own_rules_are_good() -> None:
    """The rules that are delivered load, and know every department."""
    policy = load_policy(INCIDENT, POLICIES, CODES)
    assert isinstance(policy, IncidentPolicy)

    assert policy.departments == CODES
    assert policy.responsibility("环境卫生")[0].department == "urban-management"


def test_all_faults_are_told_at_once(tmp_path: Path) -> None:
    """Shape faults are told together, each with file, place and remedy."""
    found = faults(
        changed(
            tmp_path, ("sign: 1 working_hours", "sing: 1 working_hours"), ("verify: 2 working_days", "verify: soon")
        )
    )

    assert [fault.split(": ")[1] for fault in found] == ["terms.sign", "terms.verify", "terms.sing"]
    assert all(fault.startswith(str(tmp_path / "incident.yaml")) and ";" in fault for fault in found)


def test_a_department_that_there_is_not_is_named_with_its_category(tmp_path: Path) -> None:
    """The responsibility list leads to departments of departments.yaml only; every wrong line is told."""
    found = faults(
        changed(
            tmp_path,
            ("department: justice-office", "department: justice"),
            ("fallback_department: coordination-centre", "fallback_department: nobody"),
        )
    )

    assert len(found) == 2
    assert "terms.fallback_department: 'nobody'" in found[0]
    assert "categories.邻里纠纷.department: 'justice'" in found[1]


def test_a_category_that_stands_twice_is_refused(tmp_path: Path) -> None:
    """YAML would keep the last of two equal lines without a word."""
    assert "'环境卫生' stands twice" in faults(changed(tmp_path, ("  邻里纠纷:", "  环境卫生:")))[0]


def test_a_missing_urgency_is_told(tmp_path: Path) -> None:
    """Every urgency needs its limits, also one that no category has today."""
    line = "    complex: {respond: 2 working_days, finish: 15 natural_days}\n"
    assert "terms.urgencies.complex" in faults(changed(tmp_path, (line, "")))[0]


def test_an_area_that_a_policy_names_is_one_of_the_towns(tmp_path: Path) -> None:
    """The duty desk of an area that there is not would see no call: file, line and what to write instead are told."""
    folder = Path(shutil.copytree(POLICIES, tmp_path / "policies"))
    file = folder / "distress.yaml"
    file.write_text(
        file.read_text(encoding="utf-8").replace('desk_area: "320104"', 'desk_area: "320199"'), encoding="utf-8"
    )
    (fault,) = check_policies(folder, [DISTRESS]).faults

    assert fault == f"{file}:5: terms.desk_area: 320199 is no area of areas.yaml; write one of 320104, 320104.003"


def test_a_missing_file_says_which_setting_to_mend(tmp_path: Path) -> None:
    """No rules, no town: the message names the setting."""
    assert "JICENG_POLICIES" in faults(tmp_path)[0]
