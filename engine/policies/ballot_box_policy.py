"""Reads policies/ballot_box.yaml; every fault in it is told at once: file, entry, remedy."""

from pathlib import Path

from engine.policies.registers import RegisterFaults, RegisterFile
from schemas.contracts.ballot_box import BallotBoxPolicy
from schemas.contracts.department import Gateway
from schemas.contracts.department_policy import Name


class BallotBoxPolicyFaults(RegisterFaults):
    """The file of the ballot box cannot be used as it stands. `faults` says, one by one, where and what to do."""


FILE = "ballot_box.yaml"

NO_BALLOT_BOX = BallotBoxPolicy(code="none", name=Name(zh="无线上票箱", en="no ballot box"), gateway=Gateway.DESK)

_FILE = RegisterFile(
    entries="ballot_boxes",
    one="ballot box",
    entry=BallotBoxPolicy,
    needed="code, name and gateway",
    placeholder="{ballot_box}",
    variable="JICENG_BALLOT_BOX_URL",
    error=BallotBoxPolicyFaults,
)


def load_ballot_box(file: Path, url: str | None = None) -> BallotBoxPolicy:
    """Read the town's ballot box, with its whole address. Raises BallotBoxPolicyFaults.

    `url` stands for `{ballot_box}`; without it, or without the file, none is connected, and its gateway is `desk`: votes are on
    paper alone.
    """
    if not file.exists():
        return NO_BALLOT_BOX
    placed, _ = _FILE.addressed(_FILE.read(file, url, _more_than_one), url)
    return placed[0]


def _more_than_one(boxes: list[BallotBoxPolicy]) -> list[str]:
    # With two, one unit could take a ballot from each: a box marks only what it knows of.
    return [f"{len(boxes)} ballot boxes; keep one"] if len(boxes) > 1 else []
