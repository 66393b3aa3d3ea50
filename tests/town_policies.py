"""The rules of the tests' town: the town's own, but for what keeps one test's cases out of another's sight, and one benefit.

It is not posted, so that at real speed somebody gets it, and is reckoned by heads, so that a change raises it.
"""

import shutil
from pathlib import Path

from engine.runtime.settings import PROJECT

HEATING = """  heating-aid:
    name: {zh: 取暖补贴, en: Heating aid}
    legal_basis: "《社会救助暂行办法》第四十七条"
    documents: [identity-card]
    checks:
      - {source: tax, inputs: [household_size], most: {monthly_income_fen: 100000}}
    amount: {rule: per_head, each_fen: 30000}
    second_signature_above_fen: 100000
    reassess: 365 natural_days
    reassess_unstable: 182 natural_days
"""


def open_to_neighbours(folder: Path) -> Path:
    """A copy of the town's rules that takes reports from other districts: many a test has a district of its own."""
    policies = shutil.copytree(PROJECT / "policies", folder / "policies")
    areas = policies / "areas.yaml"
    text = areas.read_text(encoding="utf-8")
    assert "other_districts: refuse" in text
    areas.write_text(text.replace("other_districts: refuse", "other_districts: accept"), encoding="utf-8")
    warnings = policies / "warning.yaml"  # each test's warning moves the few homes of the town's list
    text = warnings.read_text(encoding="utf-8")
    assert "one_team_per_list: true" in text
    assert "one_book_per_shelter: true" in text
    for shared in ("one_team_per_list", "one_book_per_shelter"):
        text = text.replace(f"{shared}: true", f"{shared}: false")
    warnings.write_text(text, encoding="utf-8")
    benefits = policies / "welfare.yaml"
    benefits.write_text(with_heating(benefits.read_text(encoding="utf-8")), encoding="utf-8")
    return policies


def with_heating(text: str) -> str:
    """The town's rules of welfare with a benefit of the tests' own."""
    assert text.rstrip().rpartition("\n")[2].startswith("    "), "the benefits stand last"
    return f"{text.rstrip()}\n{HEATING}"
