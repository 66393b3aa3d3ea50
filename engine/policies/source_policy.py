"""Reads policies/sources.yaml into a SourceRegister; every fault in it is told at once: file, entry, remedy."""

from collections import Counter
from pathlib import Path

from engine.policies.registers import RegisterFaults, RegisterFile
from schemas.contracts.means import SourcePolicy, SourceRegister


class SourcePolicyFaults(RegisterFaults):
    """The sources file cannot be used as it stands. `faults` says, one by one, where and what to do."""


_FILE = RegisterFile(
    entries="sources",
    one="source",
    entry=SourcePolicy,
    needed="code, name, gateway and facts",
    placeholder="{sources}",
    variable="JICENG_SOURCES_URL",
    error=SourcePolicyFaults,
)


def load_sources(file: Path, sources_url: str | None = None) -> SourceRegister:
    """Read the file and complete the addresses. Raises SourcePolicyFaults.

    `sources_url` stands for `{sources}`; without it the sources that need it are asked at the desk.
    """
    placed, without = _FILE.addressed(_FILE.read(file, sources_url, _facts_twice), sources_url)
    return SourceRegister(sources=placed, without_address=without)


def _facts_twice(sources: list[SourcePolicy]) -> list[str]:
    """Two sources may not answer with the same fact: nobody could say which of them counts."""
    counts = Counter(fact for source in sources for fact in source.facts)
    return [f"fact {name!r} is given twice; rename one" for name, count in counts.items() if count > 1]
