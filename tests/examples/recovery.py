"""How a recovery comes about, who acts on it, what a right body of each command is, and the ways it can go."""

from collections.abc import Mapping
from typing import Any

from schemas.welfare import WELFARE
from tests.api_driver import ApiDriver, Step, Walk
from tests.examples import welfare
from tests.examples.incident import CALENDAR
from tests.examples.welfare import ADVANCED, AID
from tests.waiting import eventually

PEOPLE = welfare.PEOPLE
REPORTER = "applicant"
NOBODY_ANSWERS = "unresolved"
PARENTS_REPORT = AID
ADVANCE_FEN = 50000


async def start(
    door: ApiDriver, *, body: Mapping[str, Any] | None = None, by: str | None = None, key: str | None = None
) -> str:
    """Pay urgent aid first, have the application withdrawn, and return the recovery of what was paid."""
    paying = ApiDriver(door.api, door.token, WELFARE)
    parent = await paying.start(body=body or AID, by=by, key=f"recovery-{key}" if key else None)
    for number, step in enumerate((*ADVANCED, Step("withdraw_application", "applicant"))):

        async def given(number: int = number, step: Step = step) -> bool:
            answer = await paying.give(parent, step, key=f"start-{key or parent}-{number}")
            assert answer.status_code in (200, 202, 404), answer.text
            return answer.status_code == 200

        await eventually(given, within=30)
    case_id = f"{parent}.recovery-1"
    await door.comes(case_id)
    return case_id


async def what_is_left(door: ApiDriver, case_id: str, _by: str) -> Mapping[str, Any]:
    """A repayment of part of it; the last one is of what is left."""
    said: dict[str, int] = {}
    for kind in ("recovery:repayment:claimed", "recovery:repayment:declined"):
        said[kind] = sum(each["amount_fen"] for each in await door.facts(case_id, kind))
    left = ADVANCE_FEN - said["recovery:repayment:claimed"] + said["recovery:repayment:declined"]
    return part(min(left, 20000) or 1)


def part(fen: int) -> dict[str, Any]:
    """A repayment."""
    return {"amount_fen": fen, "receipt": "CZ-2026-0001"}


REASON = {"reason": "确无偿还能力"}
BODIES: dict[str, Any] = {
    "repay": what_is_left,
    "confirm_repayment": {},
    "decline_repayment": REASON,
    "propose_write_off": REASON,
    "agree_write_off": {},
    "decline_write_off": REASON,
    "urge": {},
    "comment": {"text": "已电话联系"},
    "attach": welfare.to_attach,
    "replan": {"calendar": CALENDAR},
}


def repaid(fen: int) -> tuple[Step, Step]:
    """A repayment that one records and another confirms."""
    return Step("repay", "clerk", part(fen)), Step("confirm_repayment", "civil")


MAIN = Walk(
    "main",
    (
        Step("comment", "civil"),
        *repaid(10000),
        Step("propose_write_off", "civil"),
        Step("decline_write_off", "supervisor"),
        Step("repay", "clerk", part(15000)),
        Step("decline_repayment", "civil"),
        *repaid(15000),
        Step("repay", "civil", part(ADVANCE_FEN - 25000)),
        Step("confirm_repayment", "clerk"),
    ),
    "repaid",
)
WALKS = (
    MAIN,
    Walk(
        "written off by two",
        (
            *repaid(10000),
            Step("propose_write_off", "civil"),
            Step("agree_write_off", "second_civil"),
        ),
        "written_off",
    ),
    Walk(
        "a write-off that nobody decides on",
        (Step("propose_write_off", "civil"),),
        "writing_off",
    ),
    Walk("urged", (Step("urge", "supervisor"), Step("comment", "civil"), Step("replan", "admin")), "demanded"),
)

EXPLAINED = {"main": {"recovery:demanded": " = ", "recovery:repaid_part": " = ", "recovery:repaid": " = 0"}}
"""By walk: what the arithmetic of an entry says, by kind; of several entries of a kind, in the last."""
