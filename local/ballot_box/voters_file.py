"""Who may take the ballot of which unit online, as a CSV file of the committee's: one unit and one person a line.

    unit,account,identity_number
    3-2-501,,110101195003070012
    3-2-502,resident-he,

One of the two stands in each line: the account, or the number that the account's issuer has verified. Several people of a unit are
several lines; whoever comes first takes its ballot. The file stays with the committee: the town keeps keyed digests.
"""

import csv
import io
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from engine.store.voters import Voter
from local.ballot_box.roll_file import RollFaults
from schemas.contracts.ballot_box import Unit
from schemas.values.identity_document import identity_faults, identity_of
from schemas.values.verified_identity import verified_identity

_COLUMNS = {"unit", "account", "identity_number"}
_UNIT: TypeAdapter[str] = TypeAdapter(Unit)


def read_voters(file: Path) -> tuple[tuple[str, Voter], ...]:
    """Read who may. Raises RollFaults: all that is wrong, by line; no number of anybody stands in it."""
    try:
        text = file.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise RollFaults([f"{file}: not readable as UTF-8 text ({type(error).__name__})"]) from None
    rows = csv.DictReader(io.StringIO(text))
    if "unit" not in (names := set(rows.fieldnames or ())) or names - _COLUMNS or names == {"unit"}:
        raise RollFaults([f"{file}:1: the columns are unit, and account or identity_number or both"])
    lines: list[tuple[str, Voter]] = []
    faults: list[str] = []
    for number, row in enumerate(rows, start=2):
        said = {name: (value or "").strip() for name, value in row.items() if name is not None}
        if wrong := list(_faults(said)):
            faults += [f"{file}:{number}: {each}" for each in wrong]
        else:
            lines.append((said["unit"], _voter(said)))
    if not lines and not faults:
        faults.append(f"{file}: nobody; write a unit and a person a line")
    if faults:
        raise RollFaults(faults)
    return tuple(lines)


def _faults(said: dict[str, str]) -> Iterator[str]:
    try:
        _UNIT.validate_python(said["unit"])
    except ValidationError:
        yield "write a unit such as 3-2-501"
    account, number = said.get("account", ""), said.get("identity_number", "")
    if bool(account) == bool(number):
        yield "write an account or an identity number, one of the two"
    elif number and any(identity_faults("", number, None, datetime.now(UTC).date())):
        yield "this is no identity number; look at it once more"


def _voter(said: dict[str, str]) -> Voter:
    if account := said.get("account", ""):
        return Voter(account=account)
    return Voter(identity=verified_identity(identity_of(said["identity_number"], None)))
