"""居民表决: the votes that everybody sees, and how a unit takes its ballot online.

Which procedures are votes is what they are composed of (`ShownVotes`, schemas/parts/shown_votes.py); none is named here. The town
says of somebody that they may take the ballot of a unit, and passes on what hides the ballot (RFC 9474). The choice is
made on a page of the ballot box, and never comes here (docs/decisions/0012).

Who may: an account that the committee's register names for the unit (`jiceng ballot-voters`), or whoever has the code on the slip
of the unit (`jiceng ballot-slips`); and of a unit that gave its vote to another one in writing, these of the other one too.
"""

import hashlib
import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Annotated

import asyncpg
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from starlette.requests import Request

from engine.keys.tokens import Principal, Verifier
from engine.outside.ballot_boxes import BallotBoxGateway
from engine.outside.signed_calls import GatewayRefused, GatewayUnavailable
from engine.store.voters import SQL, Voter, VoterRegister
from schemas.contracts.ballot_box import BallotBoxPolicy, Channel, ChoiceWords, IssueBody, VoteWords
from schemas.contracts.department import Gateway
from schemas.kernel.procedure import Procedure
from schemas.kernel.state import DeclaredState
from schemas.parts.ballots import UnitCode
from schemas.parts.shown_votes import CHOICES, ShownVote, ShownVotes, ends_at
from schemas.values.actor import Actor, Role
from schemas.values.both import Both
from schemas.values.refusals import RefusalCode, say
from schemas.words.titles import words_for_residents
from starter.cases.resident_codes import ResidentCodes, tidy_code
from starter.http.database import Connection, database
from starter.http.dependencies import dependency
from starter.http.parameters import CASE_ID
from starter.http.problems import Problem, ProblemCode
from starter.http.senders import sender_of
from starter.intake.filing import Filing
from workflows.registry import PROCEDURES

PURPOSE = "show-vote"
READER = Actor(subject="public-votes", role=Role.RESIDENT)
TRYING = "ballot"
SHOWN_AFTER = timedelta(days=90)
"""How long a vote stays on the page after its case has closed."""

QUESTIONS_KEPT = 1000
TAKEN, CLOSED = "already-taken", "closed"
"""What the box says of a unit that has its ballot, and of a vote that is over."""

VOTES: Mapping[str, ShownVotes] = {
    procedure.name: shown
    for procedure in (case.procedure for case in PROCEDURES)
    if (shown := procedure.part_or_none(ShownVotes)) is not None
}
"""How the votes of each procedure are shown that has some."""


@dataclass(frozen=True)
class Polls:
    """What votes are shown with and ballots are given out with.

    `questions`: read once, as notices are; `seen_keys`: of each vote.
    """

    pool: asyncpg.Pool
    filing: Filing
    codes: ResidentCodes
    verifier: Verifier
    register: VoterRegister
    box: BallotBoxPolicy
    gateway: BallotBoxGateway
    questions: dict[tuple[str, str], str] = field(default_factory=dict)
    seen_keys: dict[str, rsa.RSAPublicNumbers] = field(default_factory=dict)

    @property
    def has_box(self) -> bool:
        """Whether the town has a ballot box at all."""
        return self.box.gateway is Gateway.HTTP


PollsOf = Annotated[Polls, dependency(Polls)]


@dataclass(frozen=True)
class Poll:
    """A vote, as its page shows it. `choices`: code and words, in their order."""

    vote: str
    title: str
    community: str
    stage: Both
    question: str
    choices: Sequence[tuple[str, Both]]
    ends_at: datetime | None
    shown: ShownVote
    part: ShownVotes


def slip_code(codes: ResidentCodes, vote: str, unit: UnitCode) -> str:
    """The code on the slip of a unit. Made with a key of the town: nothing has to be kept, and none can be stolen from a table."""
    return codes.code_of(f"{vote} unit {unit}")


async def polls_now(polls: Polls) -> list[Poll]:
    """Every vote that is shown, the newest first. Raises Problem 503 without Postgres."""
    stages = [(name, stage.value) for name, each in VOTES.items() for stage in each.at]
    since = polls.filing.intake.now() - SHOWN_AFTER
    async with database(polls.pool) as connection:
        rows = await connection.fetch(SQL.shown, [name for name, _ in stages], [stage for _, stage in stages], since)
        return [await _poll(polls, connection, row) for row in rows]


async def poll_of(polls: Polls, vote: str) -> Poll:
    """A vote by its number. Raises Problem 404: none is shown under it."""
    if CASE_ID.fullmatch(vote):
        for each in await polls_now(polls):
            if each.vote == vote:
                return each
    raise Problem(ProblemCode.NOT_FOUND, say("没有此表决", "there is no such vote"))


async def units_of(polls: Polls, poll: Poll, caller: Principal) -> tuple[UnitCode, ...]:
    """The units whose ballot somebody may take who is signed in, by the register and in writing."""
    voters = [Voter(account=caller.subject)]
    if caller.identity is not None:
        voters.append(Voter(identity=caller.identity))
    async with database(polls.pool) as connection:
        own = await polls.register.units_of(connection, poll.vote, voters)
    return poll.part.units_of(poll.shown, own)


async def key_of(polls: Polls, poll: Poll) -> rsa.RSAPublicNumbers:
    """The key of a vote, asked for by the town for everybody: a box cannot give one voter another key than the rest.

    Raises Problem: the vote takes no ballots online now, or the box is away.
    """
    if poll.vote not in polls.seen_keys:
        _refuse_unless_online(polls, poll)
        try:
            found = await polls.gateway.look(polls.box, poll.vote)
        except GatewayUnavailable:
            raise _box_away() from None
        if isinstance(found, GatewayRefused) or not found.open:
            raise _over()
        key = serialization.load_pem_public_key(found.public_key.encode("ascii"))
        if not isinstance(key, rsa.RSAPublicKey):
            raise TypeError("the key of a vote is an RSA key")
        polls.seen_keys[poll.vote] = key.public_numbers()
    return polls.seen_keys[poll.vote]


async def take_ballot(
    polls: Polls, request: Request, poll: Poll, unit: str, blinded: str, *, code: str, caller: Principal | None
) -> str:
    """Have a unit take its ballot: the blind signature, in hex. The same asked again is answered the same.

    Raises:
        Problem: who asks may not, or tried too often; the unit has its ballot; the vote is over; the box is away.
    """
    _refuse_unless_online(polls, poll)
    body = IssueBody(ballot_id=poll.vote, unit=unit, channel=Channel.ONLINE, blinded=blinded)
    if unit not in (() if caller is None else await units_of(polls, poll, caller)):
        await _try_slip(polls, request, poll, unit, code)
    key = f"{poll.vote}/issue-{hashlib.sha256(blinded.encode()).hexdigest()[:16]}"
    try:
        refused = await polls.gateway.tell(polls.box, poll.vote, _words(poll))
        issued = refused or await polls.gateway.issue(polls.box, poll.vote, body, key)
    except GatewayUnavailable:
        raise _box_away() from None
    if isinstance(issued, GatewayRefused):
        raise _refused(issued)
    return issued.blind_signature or ""


async def _try_slip(polls: Polls, request: Request, poll: Poll, unit: UnitCode, code: str) -> None:
    """Look at the code of a slip: of the unit itself, or of the one that votes for it. Each try counts before it is judged."""
    sender = await sender_of(request, polls.verifier)
    counted = await polls.codes.attempts.count(TRYING, sender)
    if counted.wait_seconds:
        detail = say("尝试次数过多,请稍后再试", "tried too often; wait a while")
        raise Problem(ProblemCode.TOO_MANY_ATTEMPTS, detail, headers={"Retry-After": str(counted.wait_seconds)})
    own = [each for each in (unit, poll.shown.proxies.get(unit)) if each is not None]
    given = tidy_code(code).encode("utf-8", "replace")
    right = [hmac.compare_digest(given, slip_code(polls.codes, poll.vote, each).encode()) for each in own]
    if not any(right):
        raise Problem(
            RefusalCode.NOT_YOUR_ROLE,
            say("单元或领票码不符", "the unit and the code of the slip do not fit each other"),
        )
    await polls.codes.attempts.forget(TRYING, sender, counted)


def _refuse_unless_online(polls: Polls, poll: Poll) -> None:
    if not (polls.has_box and poll.shown.online):
        raise _over()


def _over() -> Problem:
    return Problem(RefusalCode.NOT_NOW, say("现在不能在线领票", "no ballots are given out online now"))


def _box_away() -> Problem:
    detail = say("线上票箱没有应答,请稍后再试", "the ballot box does not answer; try again later")
    return Problem(ProblemCode.BOX_AWAY, detail, headers={"Retry-After": "5"})


def _refused(refused: GatewayRefused) -> Problem:
    """What the box said, in words for whoever wants a ballot."""
    if refused.code == TAKEN:
        detail = say(
            "该户已领票(线上或纸票),每户一票", "this unit has taken its ballot, online or on paper; each has one"
        )
        return Problem(RefusalCode.ALREADY_HELD, detail)
    if refused.code == CLOSED:
        return _over()
    detail = say("线上票箱未受理,请到投票站领纸票", "the ballot box did not take it; vote on paper")
    return Problem(RefusalCode.AGAINST_THE_RULES, detail)


def _words(poll: Poll) -> VoteWords:
    choices = {code: ChoiceWords(zh=words.zh, en=words.en) for code, words in poll.choices}
    return VoteWords(ballot_id=poll.vote, question=poll.question, choices=choices)


async def _poll(polls: Polls, connection: Connection, row: asyncpg.Record) -> Poll:
    town = polls.filing.town
    procedure: Procedure = town.procedures[row["procedure"]]
    state = procedure.state.model_validate(row["snapshot"])
    part = VOTES[procedure.name]
    if not isinstance(state, DeclaredState):
        raise TypeError(f"{procedure.name}: a vote is a case of a declared procedure")
    shown = part.shows(state)
    words = words_for_residents(state.stage, procedure)
    return Poll(
        vote=state.case_id,
        title=procedure.title,
        community=town.areas.name_of(state.area),
        stage=Both(words.zh, words.en),
        question=await _question(polls, connection, state.case_id, shown),
        choices=[(each, CHOICES.get(each, Both(each, each, each))) for each in shown.choices],
        ends_at=ends_at(part, state),
        shown=shown,
        part=part,
    )


async def _question(polls: Polls, connection: Connection, vote: str, shown: ShownVote) -> str:
    """What is put to the vote: read once, so that looking at votes does not fill the record of who read what."""
    place = (vote, shown.question)
    if place not in polls.questions:
        found = await polls.filing.vault.read_texts(connection, [shown.question], READER, PURPOSE, vote)
        text = found.get(shown.question)
        if len(polls.questions) > QUESTIONS_KEPT:
            polls.questions.clear()
        polls.questions[place] = text if isinstance(text, str) else ""
    return polls.questions[place]
