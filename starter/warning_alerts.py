"""What comes of a message of an issuer: it begins a warning of each area, or is told to those that are of the same danger.

A message is taken once, for ever, by its number, in whatever order messages come and however often: a cancel that comes before its
alert keeps that from starting anything, an update that does stands for it; what replaced the alert, and was not named, is not
called off. Of what stands says `schemas/warning_issuer.py`. An official warning holds at once, and is asked of
nobody. Which places a message is of, when other ones are named than before, says `starter/warning_areas.py`.
"""

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any, NamedTuple

from pydantic import Field

from engine.store.database import Queries
from schemas.clocks.calendar import TownDatetime
from schemas.kernel.openings import open_state
from schemas.values.actor import Actor, Channel, Role
from schemas.values.area import inside, wholly_named
from schemas.values.foreign_code import ForeignCode
from schemas.values.free_text import FreeText
from schemas.values.location import AreaCode
from schemas.values.model import Model
from schemas.values.refusals import RefusalCode, say
from schemas.warning import WARNING
from schemas.warning_commands import MessageType, OfficialWarning
from schemas.warning_issuer import is_later
from schemas.warning_state import WarningState
from schemas.warning_terms import Hazard, WarningLevel, WarningPolicy
from starter.http.command_bodies import command_body_of
from starter.http.database import Connection
from starter.http.json_answers import OK
from starter.http.problems import Problem, ProblemCode
from starter.intake.answers import answer_start
from starter.intake.commands import give
from starter.intake.filing import Filing
from starter.intake.intake import Sender
from starter.warning import addressed
from starter.warning_areas import Place, is_of_a_part, places_of

HEAR_ISSUER = "hear_issuer"
DRILL = "drill "
DOOR = command_body_of(OfficialWarning)


class AlertSent(Model):
    """What an issuer sends, as in CAP 1.2: its number, when it was sent (town time), to what it refers."""

    identifier: ForeignCode
    sent: TownDatetime
    type: MessageType
    references: Annotated[tuple[ForeignCode, ...], Field(max_length=50)] = ()
    drill: bool = False
    hazard: Hazard
    level: WarningLevel
    areas: Annotated[tuple[AreaCode, ...], Field(min_length=1, max_length=50)]
    onset: TownDatetime | None = None
    expires: TownDatetime | None = None
    headline: Annotated[FreeText, Field(min_length=1, max_length=1000)]


class Told(StrEnum):
    """What came of telling a case: it has taken the word; it had ended, before that was sent, or after."""

    TAKEN = "taken"
    ENDED_BEFORE = "ended_before"
    OVERTAKEN = "overtaken"


class IssuerQueries(Queries):
    """engine/queries/issuer_messages.sql."""

    wait_for_turn: str
    of_messages: str
    remember: str
    refer: str


SQL = IssuerQueries.load("issuer_messages")


class Known(NamedTuple):
    """What is known of a message in an area: the case that it is of, whether it has come, and when it was called off."""

    identifier: str
    area: str
    case_id: str | None
    heard: bool
    cancelled_at: datetime | None


class Feed:
    """The messages of one issuer, in one transaction."""

    def __init__(self, connection: Connection, filing: Filing, issuer: str) -> None:
        self._connection = connection
        self._filing = filing
        self._issuer = issuer
        # No token has this role: what acts under it is the case itself, or a system that its signature vouches for.
        self._actor = Actor(subject=f"issuer:{issuer}", role=Role.ENGINE, channel=Channel.DEVICE)

    async def take(self, alert: AlertSent, areas: Sequence[str]) -> None:
        """Take a message for these areas: one that does not answer keeps it from no other one.

        Raises:
            Problem: of one of them it is not known yet what came of it, and it is to be sent again.
        """
        await self._connection.execute(SQL.wait_for_turn, self._issuer)
        known = await self._known(alert)
        running = {each.area: each.case_id for each in reversed(known) if each.case_id is not None}
        town = self._filing.town
        policy = town.policies[WARNING.name]
        assert isinstance(policy, WarningPolicy)  # noqa: S101 - that of warnings
        untaken: list[Problem] = []
        for place in places_of(
            areas, tuple(running), town.areas.names, policy, is_cancel=alert.type is MessageType.CANCEL
        ):
            try:
                await self._take(alert, place, running.get(place.area), known)
            except Problem as problem:
                untaken.append(problem)
        if untaken:
            raise untaken[0]

    async def _known(self, alert: AlertSent) -> list[Known]:
        """What is known of its number and of those that it refers to, in that order. A drill is of drills alone."""
        numbers = [alert.identifier, *alert.references]
        rows = [Known(*row) for row in await self._connection.fetch(SQL.of_messages, self._issuer, numbers)]
        own = [each for each in rows if each.area.startswith(DRILL) == alert.drill]
        found = [each._replace(area=each.area.removeprefix(DRILL)) for each in own]
        return sorted(found, key=lambda each: numbers.index(each.identifier))

    async def _take(self, alert: AlertSent, place: Place, case: str | None, known: Sequence[Known]) -> None:
        own = next((each for each in known if (each.identifier, each.area) == (alert.identifier, place.area)), None)
        if own is not None and own.heard:
            return
        if case is not None and await self._tell(case, alert, place.area, known) is not Told.ENDED_BEFORE:
            await self._remember(alert, place.area, case)
            return
        anew = case is not None
        # Of a wider warning that has ended what the message names begins anew, and nothing more.
        for begun in [Place(part) for part in place.parts] or [place]:
            is_one = self._begins(alert, begun.area, known)
            await self._remember(alert, begun.area, await self._start(alert, begun, anew=anew) if is_one else case)

    async def _remember(self, alert: AlertSent, area: str, case: str | None) -> None:
        where = f"{DRILL}{area}" if alert.drill else area
        await self._connection.execute(SQL.remember, self._issuer, alert.identifier, where, case, alert.sent)
        cancels = alert.sent if alert.type is MessageType.CANCEL else None
        for each in alert.references:
            await self._connection.execute(SQL.refer, self._issuer, each, where, case, cancels)

    def _is_of_a_part(self, alert: AlertSent, area: str) -> bool:
        town = self._filing.town.areas.names
        return is_of_a_part(wholly_named(alert.areas, town), area, town)

    def _begins(self, alert: AlertSent, area: str, known: Sequence[Known]) -> bool:
        """Whether it begins a warning of an area: it calls off nothing, was not called off, and has not run out."""
        has_run_out = alert.expires is not None and alert.expires <= self._filing.intake.now()
        return not (alert.type is MessageType.CANCEL or self._is_called_off(alert, area, known) or has_run_out)

    def _is_called_off(self, alert: AlertSent, area: str, known: Sequence[Known]) -> bool:
        """Whether a cancel that came before it names it. One that names only what it replaces calls off nothing of it."""
        own = [each for each in known if each.identifier == alert.identifier and inside(area, each.area)]
        return any(each.cancelled_at is not None for each in own)

    async def _tell(self, case: str, alert: AlertSent, area: str, known: Sequence[Known]) -> Told:
        """Say it to the case that it is of. What was sent before the last word that this one heard is none for another case."""
        filing = self._filing
        state = await filing.reader.state_for_department(case)
        if state is None:
            raise _not_yet()
        assert isinstance(state, WarningState)  # noqa: S101 - its number says so
        names_the_same = bool(state.named) and set(state.named) <= set(alert.areas)
        door = filing.town.doors[WARNING.name][HEAR_ISSUER]
        said = {"identifier", "sent", "level", "onset", "expires", "references"}
        given = door.model.model_validate(
            {
                **alert.model_dump(include=said),
                "message_type": alert.type,
                "called_off": self._is_called_off(alert, area, known),
                "part": self._is_of_a_part(alert, area) and not names_the_same,
            }
        )
        sender = Sender(self._actor.subject, f"{alert.identifier} {case}", self._actor)
        try:
            answer = await give(filing, sender, state, name=HEAR_ISSUER, door=door, given=given)
        except Problem as problem:
            if problem.code not in {RefusalCode.CASE_ENDED, RefusalCode.NOT_NOW}:  # over, or looked back on
                raise
            later = is_later(state, alert.sent, alert.level, alert.references)
            return Told.ENDED_BEFORE if later else Told.OVERTAKEN
        if answer.status_code != OK:
            raise _not_yet()
        return Told.TAKEN

    async def _start(self, alert: AlertSent, place: Place, *, anew: bool) -> str:
        """A case of this area; the same one however often the message comes."""
        area = place.area
        given: Any = DOOR.model.model_validate(
            {
                "hazard": alert.hazard,
                "level": alert.level,
                "onset": alert.onset,
                "reason": alert.headline,
                "drill": alert.drill,
                "area": area,
                "without": place.without,
                "named": alert.areas if self._is_of_a_part(alert, area) else (),
                "channel": Channel.DEVICE,
                "identifiers": (alert.identifier,),
                "sent_at": alert.sent,
                "expires": alert.expires,
            }
        )
        key = f"{alert.identifier} {area}{' anew' if anew else ''}"
        sender = Sender(self._actor.subject, key, self._actor)
        content = alert.model_dump(mode="json")
        entered = await self._filing.intake.start(
            sender,
            WARNING.name,
            content,
            addressed(self._filing, self._opens(given)),
            name=WARNING.opens.name if WARNING.opens else "",
        )
        if entered.submission.leased and not entered.repeated:
            self._filing.relay.take(entered.submission)
        await answer_start(self._filing.answering, entered, self._actor)
        return entered.submission.case_id

    def _opens(self, given: Any) -> Any:
        filing = self._filing

        async def open_case(connection: Connection, case_id: str, command_id: str, at: datetime) -> WarningState:
            kept = await filing.vault.keep(connection, None, DOOR.texts_of(given), None, case_id=case_id)
            body = DOOR.to_command(given, kept.texts)
            assert isinstance(body, OfficialWarning)  # noqa: S101 - of whose door it is
            assert WARNING.opens is not None  # noqa: S101 - people open warnings too
            state = open_state(
                WARNING.opens,
                WarningState,
                body,
                person=kept.person,
                case_id=case_id,
                command_id=command_id,
                actor=self._actor,
                policy=filing.town.policies[WARNING.name],
                charter=filing.town.charters[WARNING.name],
                at=at,
                statement=kept.details,
            )
            assert isinstance(state, WarningState)  # noqa: S101 - that it was asked for
            return state

        return open_case


def _not_yet() -> Problem:
    return Problem(
        ProblemCode.NOT_YET_TAKEN,
        say("尚未确认受理,请重发", "it is not known yet what came of it: send it again"),
        headers={"Retry-After": "1"},
    )
