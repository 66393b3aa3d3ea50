"""The sources of means and the bank of the town: what can be started with, and what is told when it cannot."""

import shutil
from pathlib import Path

import pytest

from engine.keys.counterpart_keys import Counterpart, CounterpartKeyFaults, key_file, load_counterpart_keys
from engine.outside.founding import found_keys_of_others
from engine.policies.bank_policy import BankPolicyFaults, load_bank
from engine.policies.policy_check import check_policies
from engine.policies.source_policy import SourcePolicyFaults, load_sources
from engine.runtime.settings import Settings
from schemas.contracts.department import Gateway
from schemas.contracts.means import NoSuchSource

PROJECT = Path(__file__).resolve().parents[2]
POLICIES = PROJECT / "policies"


def sources(folder: Path, *entries: str) -> Path:
    """A sources file."""
    file = folder / "sources.yaml"
    file.write_text("sources:\n" + "".join(f"  - {entry}\n" for entry in entries), encoding="utf-8")
    return file


def banks(folder: Path, *entries: str) -> Path:
    """A banks file."""
    file = folder / "banks.yaml"
    file.write_text("banks:\n" + "".join(f"  - {entry}\n" for entry in entries), encoding="utf-8")
    return file


def test_the_towns_own_files_load_with_their_addresses() -> None:
    """What we ship is sound; behind one address each source has its own path, and the bank too."""
    register = load_sources(POLICIES / "sources.yaml", "http://bus.town:7000/")
    bank = load_bank(POLICIES / "banks.yaml", "http://bank.town")

    assert register.get("tax").url == "http://bus.town:7000/tax"
    assert register.get("tax").facts == ("monthly_income_fen",)
    assert register.without_address == ()
    assert (bank.url, bank.gateway) == ("http://bank.town/town-bank", Gateway.HTTP)
    with pytest.raises(NoSuchSource, match="fire-brigade"):
        register.get("fire-brigade")


def test_without_addresses_sources_are_asked_at_the_desk_and_no_bank_is_connected() -> None:
    """A town that has connected nobody starts all the same, and says whom it cannot reach."""
    register = load_sources(POLICIES / "sources.yaml")

    assert {source.gateway for source in register.sources} == {Gateway.DESK}
    assert set(register.without_address) == {source.code for source in register.sources}
    assert load_bank(POLICIES / "banks.yaml").gateway is Gateway.DESK


def test_all_faults_of_the_sources_are_told_at_once(tmp_path: Path) -> None:
    """Each fault names entry, field and remedy."""
    file = sources(
        tmp_path,
        "{code: Tax, name: {zh: 税务, en: T}, gateway: http, url: 'http://a', facts: [income_fen]}",
        "{code: vehicles, name: {zh: 车辆, en: V}, gateway: fax, facts: [vehicles]}",
        "{code: property, name: {zh: 不动产, en: P}, gateway: http, facts: []}",
        "{code: pensions, name: {zh: 养老, en: P}, gateway: http, facts: [Pension, pension_fen]}",
        "{code: balance, name: {zh: 存款, en: B}, gateway: desk, url: 'http://a', facts: [balance_fen]}",
    )
    with pytest.raises(SourcePolicyFaults) as told:
        load_sources(file)

    said = [fault.removeprefix(f"{file}: ") for fault in told.value.faults]
    assert [fault.split(":")[0:2] for fault in said] == [
        ["entry 1 (Tax)", " code"],
        ["entry 2 (vehicles)", " gateway"],
        ["entry 3 (property)", " facts"],
        ["entry 4 (pensions)", " facts.0"],
        ["entry 5 (balance)", " url"],
    ]
    assert all("; " in fault for fault in said)


def test_a_fact_is_given_by_one_source(tmp_path: Path) -> None:
    """Two sources with the same fact would contradict each other, and nobody could say which counts."""
    entry = "{{code: {code}, name: {{zh: {code}, en: x}}, gateway: desk, facts: [vehicles]}}"
    with pytest.raises(SourcePolicyFaults, match="fact 'vehicles' is given twice; rename one"):
        load_sources(sources(tmp_path, entry.format(code="one"), entry.format(code="other")))


def test_a_town_has_one_bank(tmp_path: Path) -> None:
    """With two, one month could be paid by each; with none written down, the file says what it lacks."""
    entry = "{{code: {code}, name: {{zh: {code}, en: x}}, gateway: http, url: 'http://a'}}"
    with pytest.raises(BankPolicyFaults, match="2 banks; keep the one that pays"):
        load_bank(banks(tmp_path, entry.format(code="one"), entry.format(code="other")))
    with pytest.raises(BankPolicyFaults, match="no banks; write a list under the key 'banks'"):
        load_bank(banks(tmp_path))
    with pytest.raises(BankPolicyFaults, match="JICENG_BANK_URL: 'nowhere' is not an address"):
        load_bank(POLICIES / "banks.yaml", "nowhere")


def test_the_check_of_policies_names_the_line(tmp_path: Path) -> None:
    """`jiceng policy check` reads both files with the others and tells a fault by file and line."""
    folder = shutil.copytree(POLICIES, tmp_path / "policies")
    for name, right, wrong in (
        ("sources", "gateway: http", "gateway: fax"),
        ("banks", "batch_max: 50", "batch_max: 0"),
    ):
        file = folder / f"{name}.yaml"
        file.write_text(file.read_text(encoding="utf-8").replace(right, wrong, 1), encoding="utf-8")

    report = check_policies(folder, [])

    lines = (folder / "sources.yaml").read_text(encoding="utf-8").splitlines()
    (told,) = [fault for fault in report.faults if "sources.yaml" in fault]
    assert told.startswith(f"{folder}/sources.yaml:{lines.index('    gateway: fax') + 1}: entry 1 (tax): gateway: ")
    (told,) = [fault for fault in report.faults if "banks.yaml" in fault]
    assert ": entry 1 (town-bank): batch_max: " in told


def test_a_founded_town_shares_a_key_with_each_and_keeps_it(tmp_path: Path) -> None:
    """Departments, sources and the bank each get a key of their own in a file of their kind; missing ones are named."""
    settings = Settings(data=tmp_path)
    found_keys_of_others(settings)
    first = key_file(settings.key_folder, "tax", Counterpart.SOURCE).read_bytes()
    found_keys_of_others(settings)
    signing = load_counterpart_keys(settings.key_folder, ["town-bank"], Counterpart.BANK).signing("town-bank")
    civil = [key_file(settings.key_folder, "civil-affairs", kind).read_bytes() for kind in list(Counterpart)[:2]]

    assert key_file(settings.key_folder, "tax", Counterpart.SOURCE).read_bytes() == first
    assert len(signing) == 32
    assert civil[0] != civil[1]
    with pytest.raises(CounterpartKeyFaults, match=r"sources/other\.keys"):
        load_counterpart_keys(settings.key_folder, ["other"], Counterpart.SOURCE)
