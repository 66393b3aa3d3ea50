"""A call of a device that is in no file: it opens a case of the duty desk (`distress`), one for a device at a time.

Whose device it is, nobody in the town knows; that somebody calls for help, the platform has signed. So the call is never refused
for want of a file: the first one opens a case, what comes while it is open is told to it, and an event is one word, for ever.
"""

from dataclasses import replace
from datetime import datetime

from engine.store.device_events import SQL
from schemas.care_commands import EventKind
from schemas.care_state import DEVICE_UNIT, device_key
from schemas.clocks.calendar import TownDatetime
from schemas.contracts.reservation import Hold
from schemas.distress import CALL_AGAIN, DEVICE_BOUND, DISTRESS, DistressPolicy
from schemas.distress_state import CALLING_DEVICE, DistressState
from schemas.kernel.case import ruled_by
from schemas.values.actor import Actor, Channel, Role
from schemas.values.canonical import digest
from schemas.values.foreign_code import ForeignCode
from schemas.values.model import Model
from schemas.values.refusals import RefusalCode, say
from starter.cases.announcements import CASES
from starter.http.database import PoolOf, reading
from starter.http.json_answers import OK
from starter.http.problems import Problem, ProblemCode
from starter.http.rates import Rates
from starter.intake.commands import give
from starter.intake.filing import Filing
from starter.intake.intake import Sender
from starter.intake.openings import opening_of

OPENING = opening_of(DISTRESS)

OPENING_RATE = Rates(per_second=1 / 10, burst_seconds=1200)
"""Of a platform, new cases of devices that no file ever had: 120 at once, then one in 10 seconds."""

FURTHER_RATE = Rates(per_second=1 / 60, burst_seconds=1200)
"""Of a device and of each kind that it says, while its case is open: 20 at once, then one a minute. What falls hides no smoke."""


class Call(Model):
    """A call for help as its platform sent it. `key`: under what it is kept: that of the event, or of this word of its."""

    platform: ForeignCode
    event: ForeignCode
    device: ForeignCode
    kind: EventKind
    at: TownDatetime
    key: str
    unclear: bool = False

    @property
    def device_key(self) -> str:
        """Under what its device is one in the whole town."""
        return device_key(self.platform, self.device)

    @property
    def kept_as(self) -> str:
        """Under what it is remembered to which case it went: its number, or, where that stood for something else, its very word."""
        return self.key if self.unclear else self.event

    @property
    def sender(self) -> Sender:
        """No token has this role: the signature of the platform vouches for it."""
        name = f"platform:{self.platform}"
        return Sender(name, self.key, Actor(subject=name, role=Role.ENGINE, channel=Channel.DEVICE))


def is_unfiled(case_id: str) -> bool:
    """Whether an event went to the duty desk, and to no file."""
    return ruled_by(case_id) == DISTRESS.name


class UnfiledCalls:
    """Takes calls that are in no file."""

    def __init__(self, filing: Filing, pool: PoolOf) -> None:
        self._filing, self._pool = filing, pool

    async def take(self, call: Call, attempt: int, went_to: str | None) -> bool:
        """Take a call: once it returns, the desk has it. `went_to`: the case to which this very event went before, if it did.

        Whether it is news. Raises Problem: it says too much, its number stood for something else (`tell_that_it_is_unclear` is
        then the caller's to ask for), or it is to be sent again.
        """
        case = went_to or await self._open_case(call)
        # Asked for after its case: both come with one commit, so whoever finds the case of another process knows what opened it.
        opened = await self._opened_by(call)
        if opened is not None:
            await self._remember(call, opened)
            return False
        if case is None:
            await self._open(call)
            return True
        await self._remember(call, case)
        await self._say_again(call, case, attempt)
        return went_to is None

    async def tell_that_it_is_unclear(self, call: Call) -> None:
        """It is not clear who calls: its number stood for something else before, or somebody else had the device then.

        A person is told all the same, once for ever: such a word is remembered as a whole. Raises Problem as `take`.
        """
        said = digest(call.model_dump(mode="json", exclude={"key", "unclear"}))[:16]
        word = call.model_copy(update={"key": f"{call.event} unclear {said}", "unclear": True})
        case = await self._open_case(word)  # before what opened it, as in `take`
        if await self._went_to(word) is not None or await self._opened_by(word) is not None:
            return
        if case is None:
            await self._open(word)
            return
        try:
            await self._give(word, case)
        except Problem as problem:
            raise not_yet_taken() if problem.refusal is not None else problem from None
        await self._remember(word, case)

    async def tell_that_it_is_bound(self, call: Call, file: str, bound_at: datetime) -> DistressState | None:
        """The device is bound to a file by now: the case that was open of it before is told, once for each file. None: none was."""
        case = await self._open_case(call)
        state = None if case is None else await self._filing.reader.state_for_department(case)
        if not isinstance(state, DistressState) or state.opened_at >= bound_at:
            return None
        door = self._filing.town.doors[DISTRESS.name][DEVICE_BOUND]
        sender = replace(call.sender, key=f"bound {file}")
        given = door.model.model_validate({"file": file})
        await give(self._filing, sender, state, name=DEVICE_BOUND, door=door, given=given)
        return state

    # ---- the case of a device -----------------------------------------------------------------------------------------

    async def _opened_by(self, call: Call) -> str | None:
        """The case that this word has opened. Raises Problem: its number opened one with another word."""
        known = await self._filing.intake.known_start(call.sender, DISTRESS.name, _content(call), name=OPENING.act)
        if known is None or known.case_id is None:
            return None
        await self._stands(known.case_id)
        return known.case_id

    async def _stands(self, case: str) -> None:
        """Wait until the desk has the case. Raises Problem: it takes longer, the call is to be sent again."""
        answering = self._filing.answering

        async def look() -> object | None:
            return await answering.reader.standing(case)

        if await answering.announcements.until(CASES, case, look, answering.patience_seconds) is None:
            raise not_yet_taken()

    async def _went_to(self, word: Call) -> str | None:
        async with reading(self._pool) as connection:
            known = await connection.fetchrow(SQL.file_of_event, word.platform, word.kept_as)
            return None if known is None else known["case_id"]

    async def _open_case(self, call: Call) -> str | None:
        async with reading(self._pool) as connection:
            found: str | None = await connection.fetchval(
                SQL.open_call_of_device, CALLING_DEVICE, call.device_key, Hold.OWN
            )
            return found

    async def _remember(self, call: Call, case: str) -> None:
        async with reading(self._pool) as connection:
            await connection.execute(SQL.remember, call.platform, call.kept_as, case)

    async def _open(self, call: Call) -> None:
        said = await self._said(call)
        if "last_file" not in said:  # whose device was in a file is no device that a platform has made up
            _wait(OPENING_RATE, call.platform)
        body = OPENING.model.model_validate(said)
        opens = OPENING.opens(self._filing, call.sender, body)
        try:
            entered = await self._filing.intake.start(
                call.sender, DISTRESS.name, _content(call), opens, name=OPENING.act
            )
        except Problem as problem:
            if problem.code == RefusalCode.ALREADY_HELD:  # another word of this device has just opened one
                raise not_yet_taken() from problem
            raise
        if entered.submission.leased and not entered.repeated:
            self._filing.relay.take(entered.submission)
        if entered.submission.case_id is not None:
            await self._stands(entered.submission.case_id)
            await self._remember(call, entered.submission.case_id)

    async def _said(self, call: Call) -> dict[str, object]:
        """What opens the case: of a device that was in a file, where that was, and who had it."""
        policy = self._filing.town.policies[DISTRESS.name]
        assert isinstance(policy, DistressPolicy)  # noqa: S101 - that of such calls
        async with reading(self._pool) as connection:
            last = await connection.fetchrow(SQL.last_file_of_device, DEVICE_UNIT, call.device_key)
        known = {"area": policy.terms.desk_area} if last is None else dict(last)
        return {
            **known,
            "alarm_kind": call.kind,
            "platform": call.platform,
            "device": call.device,
            "event": call.event,
            "happened_at": call.at,
            "channel": Channel.DEVICE,
        }

    async def _say_again(self, call: Call, case: str, attempt: int) -> None:
        try:
            await self._give(call, case)
        except Problem as problem:
            if problem.refusal is None or problem.code == RefusalCode.KEY_REUSED:
                raise
            async with reading(self._pool) as connection:
                await connection.execute(SQL.forget, call.platform, call.event, case, attempt)
            raise not_yet_taken() from problem  # it has just ended: the next time it comes, it opens one

    async def _give(self, call: Call, case: str) -> None:
        state = await self._filing.reader.state_for_department(case)
        if state is None:
            raise not_yet_taken()  # it was accepted, and does not stand yet
        door = self._filing.town.doors[DISTRESS.name][CALL_AGAIN]
        given = door.model.model_validate(
            {
                "platform": call.platform,
                "device": call.device,
                "event": call.event,
                "unclear": call.unclear,
                "alarm_kind": call.kind,
                "at": call.at,
            }
        )
        if await self._filing.intake.known(call.sender, case, CALL_AGAIN, given) is None:
            _wait(FURTHER_RATE, f"{call.device_key} {call.kind}")
        answer = await give(self._filing, call.sender, state, name=CALL_AGAIN, door=door, given=given)
        if answer.status_code != OK:
            raise not_yet_taken()


def not_yet_taken() -> Problem:
    """What comes of it is not known yet: the platform sends it again, and then it is."""
    return Problem(
        ProblemCode.NOT_YET_TAKEN,
        say("尚未确认受理,请重发", "it is not known yet whether it is taken: send it again"),
        headers={"Retry-After": "1"},
    )


def _wait(rate: Rates, whose: str) -> None:
    pause = rate.take(whose)
    if pause is not None:
        said = say("设备呼叫过于频繁,请稍后重发", "too many calls: send it again after a while")
        raise Problem(ProblemCode.TOO_MANY_REQUESTS, said, headers={"Retry-After": str(pause)})


def _content(call: Call) -> dict[str, object]:
    return call.model_dump(mode="json", exclude={"key", "unclear"})
