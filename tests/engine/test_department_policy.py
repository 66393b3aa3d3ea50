"""The departments of the town and their keys: what can be started with, and what is told when it cannot."""

from pathlib import Path

import pytest

from engine.keys.department_keys import DepartmentKeyFaults, found_department_keys, key_file, load_department_keys
from engine.policies.department_policy import DepartmentPolicyFaults, load_departments
from schemas.contracts.department import Gateway
from schemas.contracts.department_policy import NoSuchDepartment

PROJECT = Path(__file__).resolve().parents[2]
TOWN = PROJECT / "policies" / "departments.yaml"
DESK = "{code: coordination-centre, name: {zh: 综合协调, en: Coordination}, gateway: desk, duty_leader: d}"


def written(folder: Path, *entries: str) -> Path:
    file = folder / "departments.yaml"
    file.write_text("departments:\n" + "".join(f"  - {entry}\n" for entry in entries), encoding="utf-8")
    return file


def faults(file: Path, departments_url: str | None = None) -> list[str]:
    """What is told about a file, without the part that names it."""
    with pytest.raises(DepartmentPolicyFaults) as wrong:
        load_departments(file, departments_url)
    return [fault.removeprefix(f"{file}: ") for fault in wrong.value.faults]


def test_departments_of_the_town_load_with_their_addresses() -> None:
    """The file that we ship is sound; behind a bus each http department has its own path, and a desk has no address."""
    register = load_departments(TOWN, "http://bus.town:7000/")

    assert register.without_address == ()
    assert register.get("urban-management").url == "http://bus.town:7000/urban-management"
    assert register.get("coordination-centre").gateway is Gateway.DESK
    assert register.get("service-centre").gateway is Gateway.DESK
    assert {
        "urban-management",
        "justice-office",
        "court",
        "emergency-management",
        "civil-affairs",
        "disabled-federation",
        "housing-construction",
        "ecology-environment",
        "transport",
        "education-sports",
        "human-resources",
        "commerce-tourism",
        "health",
    } == {department.code for department in register.departments if department.gateway is Gateway.HTTP}


def test_without_a_bus_departments_behind_it_are_at_their_desks_and_named() -> None:
    """A town that has not connected anybody yet still works: the orders stand in the inboxes."""
    register = load_departments(TOWN)

    assert "urban-management" in register.without_address
    assert {department.gateway for department in register.departments} == {Gateway.DESK}
    assert {department.url for department in register.departments} == {None}


def test_unknown_department_is_named() -> None:
    """Asking for a code that is not in the file says which one."""
    with pytest.raises(NoSuchDepartment, match="fire-brigade"):
        load_departments(TOWN).get("fire-brigade")


def test_all_faults_of_the_file_are_told_at_once(tmp_path: Path) -> None:
    """Each fault names entry, field and remedy; a person mends the file once, not six times."""
    file = written(
        tmp_path,
        DESK,
        "{code: Urban Management, name: {zh: 城管局, en: U}, gateway: http, url: 'http://a', duty_leader: d}",
        "{code: justice, name: {zh: 司法所, en: J}, gateway: post, duty_leader: d, telephone: 1}",
        "{code: health, name: {zh: 卫健局, en: ' '}, gateway: http, url: 'http://a'}",
        "just a word",
        "{code: transport, name: {zh: 交通局, en: T}, gateway: http, duty_leader: d}",
        "{code: education, name: {zh: 教育局, en: E}, gateway: desk, url: 'http://a', duty_leader: d}",
    )
    told = faults(file)

    assert [fault.partition(":")[0] for fault in told] == [
        "entry 2 (Urban Management)",
        "entry 3 (justice)",
        "entry 3 (justice)",
        "entry 4 (health)",
        "entry 4 (health)",
        "entry 5 (not a mapping)",
        "entry 6 (transport)",
        "entry 7 (education)",
    ]
    assert all("; " in fault for fault in told)
    assert "write http or desk" in told[1]
    assert "telephone" in told[2]


def test_codes_and_names_are_given_once_and_the_dispatcher_is_there(tmp_path: Path) -> None:
    """Two departments of one code or name, or a town without its coordination centre, cannot be started."""
    twice = "{code: transport, name: {zh: 交通局, en: T}, gateway: desk, duty_leader: d}"

    assert faults(written(tmp_path, twice, twice)) == [
        "code 'transport' stands twice; keep one",
        "name.zh '交通局' stands twice; keep one",
        "no desk 'coordination-centre'; add it: what has no other home goes there",
    ]


@pytest.mark.parametrize(
    "url",
    [
        "ftp://a",
        "http://",
        "a.example/x",
        "http://a:port",
        "http://a/?x=1",
        "http://a/#x",
        "http://me:secret@a",
        "http://a/{code}",
        "{departments}",
        "{departments}x",
        "{departments}/{code}",
        "{towns}/x",
    ],
)
def test_address_that_cannot_be_called_is_refused(tmp_path: Path, url: str) -> None:
    """An address is http(s) with a host, or the bus with a path; and no password in it is shown."""
    entry = f"{{code: transport, name: {{zh: 交通局, en: T}}, gateway: http, url: '{url}', duty_leader: d}}"
    told = faults(written(tmp_path, DESK, entry))

    assert len(told) == 1
    assert told[0].startswith("entry 2 (transport): url: ")
    assert "secret" not in told[0]


def test_bus_address_of_the_settings_is_checked_too() -> None:
    """A misspelt JICENG_DEPARTMENTS_URL is told by its name before anything is sent there."""
    assert faults(TOWN, "bus.town:7000") == [
        "JICENG_DEPARTMENTS_URL: 'bus.town:7000' is not an address; write http(s)://host"
    ]


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("", "no departments"),
        ("departments: []", "no departments"),
        ("- a", "no departments"),
        ("departments: [", "not readable as YAML"),
        ("departments:\n  - {code: a, code: b}", "'code' stands twice"),
        ("departments: !!python/object/apply:os.getcwd []", "not readable as YAML"),
    ],
)
def test_file_that_is_no_list_of_departments_is_told_so(tmp_path: Path, content: str, told: str) -> None:
    """Empty, broken, ambiguous or harmful YAML is one fault with the file's name, never a traceback."""
    file = tmp_path / "departments.yaml"
    file.write_text(content, encoding="utf-8")

    assert len(faults(file)) == 1
    assert told in faults(file)[0]


def test_missing_file_names_the_setting(tmp_path: Path) -> None:
    """Who points JICENG_POLICIES at the wrong folder learns that from the message."""
    assert "JICENG_POLICIES" in faults(tmp_path / "departments.yaml")[0]


def test_keys_are_made_once_and_only_for_their_owner(tmp_path: Path) -> None:
    """Founding again keeps the keys that are there; the files are open to nobody else."""
    found_department_keys(tmp_path, ["transport", "health"])
    before = key_file(tmp_path, "health").read_text()
    found_department_keys(tmp_path, ["transport", "health", "education"])
    keys = load_department_keys(tmp_path, ["transport", "health", "education"])

    assert key_file(tmp_path, "health").read_text() == before
    assert key_file(tmp_path, "health").stat().st_mode & 0o777 == 0o600
    assert len({keys.signing(code) for code in ("transport", "health", "education")}) == 3
    assert keys.believed("health") == (bytes.fromhex(before),)
    assert keys.believed("unknown") == ()


def test_all_faults_of_the_key_files_are_told_at_once(tmp_path: Path) -> None:
    """Missing, exposed and broken key files are all named; no key and no line of one is shown."""
    found_department_keys(tmp_path, ["exposed", "broken", "sound"])
    key_file(tmp_path, "exposed").chmod(0o644)
    key_file(tmp_path, "broken").write_text("not hex, maybe a password")
    with pytest.raises(DepartmentKeyFaults) as wrong:
        load_department_keys(tmp_path, ["missing", "exposed", "broken", "sound"])

    assert [
        next(code for code in ("missing", "exposed", "broken") if code in fault) for fault in wrong.value.faults
    ] == [
        "missing",
        "exposed",
        "broken",
    ]
    assert "password" not in str(wrong.value)
    assert key_file(tmp_path, "exposed").read_text().strip() not in str(wrong.value)
