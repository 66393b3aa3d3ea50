"""mediation 人民调解: what its sides say, each for itself, and who mediates. Staff write down what a side says that is there."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any

from pydantic import Field

from schemas.contracts.department import Code
from schemas.contracts.payment import Fen
from schemas.kernel.answers import AnswerTo, RequestNumber
from schemas.kernel.case import CaseState
from schemas.kernel.choices import Bounds, Choices
from schemas.kernel.openings import OpeningBody
from schemas.kernel.people import Part
from schemas.kernel.policy import Policy
from schemas.kernel.procedure import Command
from schemas.mediation_state import Level, MediationPolicy, MediationState, Respondent
from schemas.parts.departments import known_departments
from schemas.parts.participants import AGENT, ParticipantsState
from schemas.values.account import AccountCode
from schemas.values.actor import Actor, Role
from schemas.values.case_number import IncidentNumber
from schemas.values.document import Document
from schemas.values.references import TextReference
from schemas.values.refusals import Fault, say
from schemas.words.field_words import FieldWords


class Apply(OpeningBody):
    """申请调解: what it is about, what is asked for and why, and how to reach the others.

    `matter` is told to every side, `claim` and `contacts` to no other than one's own.
    `elsewhere`: it is before a court, an arbitrator or the police already. `danger`: somebody fears for herself or for others.
    `sender`: the department that sends it, and hears how it ended, and no word of it; so does the `incident` that led to it.
    """

    matter: TextReference
    claim: TextReference
    contacts: TextReference
    category: Code
    amount_fen: Fen | None = None
    respondents: tuple[Respondent, ...] = Field(min_length=1, max_length=19)
    level: Level = Level.COMMUNITY
    wished_mediator: AccountCode | None = None
    elsewhere: bool
    danger: bool
    sender: Code | None = None
    incident: Annotated[IncidentNumber | None, FieldWords("起因事件", "incident it came from")] = None

    @classmethod
    def listed(cls, policy: Policy | None) -> Mapping[str, Sequence[str]]:
        """Categories, mediators and departments of the town."""
        if not isinstance(policy, MediationPolicy):
            return {}
        return {
            "category": tuple(policy.categories),
            "wished_mediator": tuple(policy.terms.mediators),
            "sender": policy.departments,
        }

    def begins_with(self, policy: Any) -> Mapping[str, Any]:
        """Besides what was sent, to whom it can be passed on."""
        return known_departments(policy)

    def town_faults(self, policy: Any) -> Iterator[Fault]:
        """A category, a mediator or a department that the town does not have; one account on two sides."""
        for field, known in self.listed(policy).items():
            if (named := getattr(self, field)) is not None and named not in known:
                yield one_of(field, named, known)
        accounts = [each.account for each in self.respondents if each.account is not None]
        known = [*accounts, *([self.on_behalf_of] if self.on_behalf_of else [])]
        if len(set(known)) < len(known):
            said = say("同一账户在两方", "one account stands on two sides")
            yield Fault(field="respondents", reason=said, remedy=say("每方一个账户", "name another one, or none"))


class OfOneSide(Command):
    """What one side says. It says it itself, and names no side; or staff write it down.

    They say for which `side`, that it is `present`, and attach the `paper` that it has signed.
    """

    side: Code | None = None
    present: bool | None = None
    paper: Document | None = None

    @classmethod
    def allowed(cls, state: CaseState) -> Mapping[str, Choices | Bounds]:
        """The sides of the case."""
        if not isinstance(state, ParticipantsState):
            return {}
        return {"side": Choices(state.sides, say("本案没有这一方", "is no side of this case"))}

    def not_theirs(self, state: CaseState, actor: Actor, now: datetime) -> tuple[Fault, ...]:  # noqa: ARG002 - at any time
        """Nobody speaks for another side; staff do for one that sits before them."""
        assert isinstance(state, ParticipantsState)  # noqa: S101 - of procedures with sides
        if actor.role is not Role.WINDOW_CLERK:
            own = state.side_of(actor.subject)
            wrong = self.side not in {None, own}
            said = say("只能代表本方", "you speak for your own side and for no other")
            fault = Fault(field="side", reason=said, remedy=say("请留空", "leave it out"))
            return (fault,) if wrong else ()
        if found := tuple(_not_by_this_clerk(state, actor, self.side)):
            return found
        missing = [
            field
            for field, given in (("side", self.side), ("present", self.present), ("paper", self.paper))
            if not given
        ]
        said = say("代为登记须当事人到场并签字", "it is written down for who is there, and has signed")
        remedy = say("请写明何方、是否到场,并附签字件", "say which side, that it is present, and attach what it signed")
        return tuple(Fault(field=field, reason=said, remedy=remedy) for field in missing)

    def said_by(self, state: ParticipantsState, by: Actor) -> str:
        """The side whose word this is."""
        side = self.side if by.role is Role.WINDOW_CLERK else state.side_of(by.subject)
        assert side is not None  # noqa: S101 - the rules of the table and `not_theirs`
        return side


def _not_by_this_clerk(state: ParticipantsState, clerk: Actor, side: str | None) -> Iterator[Fault]:
    """Why a clerk does not write down what a side says: is of the case, the side speaks itself, or wrote for another one."""
    if state.has_seat(clerk.subject):
        said = say("您是本案参与人,不得代任何一方登记", "you have a seat in this case, and write for no side of it")
        yield Fault(field="side", reason=said, remedy=say("由他人登记", "somebody else writes it down"))
    elif side is not None and state.accounts_on(side):
        said = say("该方有账户,由其自行表达", "this side has an account, and says it itself")
        yield Fault(field="side", reason=said, remedy=say("请当事人登录办理", "have them say it under their account"))
    elif side is not None and state.writes_for_another(clerk.subject, side):
        said = say("您已为另一方登记,一人不得为两方代笔", "you have written for another side: nobody is the pen of two")
        yield Fault(field="side", reason=said, remedy=say("由他人登记", "somebody else writes it down"))


class Consent(OfOneSide):
    """同意调解: one side agrees to mediation, after it was told its rights; for nobody but itself."""


class Decline(OfOneSide):
    """拒绝、要求终止: at once, without a reason, and held against nobody (People's Mediation Law, 23)."""


class ChooseMediator(OfOneSide):
    """选择调解员: whom every side names, mediates."""

    mediator: AccountCode

    @classmethod
    def allowed(cls, state: CaseState) -> Mapping[str, Choices | Bounds]:
        """Those on the town's roll who are of no side."""
        return {**super().allowed(state), "mediator": _roll(state)}


class AcceptMediator(OfOneSide):
    """书面接受: one side accepts a mediator whose tie was disclosed. `written`: what it signed, also where it has an account."""

    mediator: AccountCode
    written: Document

    @classmethod
    def allowed(cls, state: CaseState) -> Mapping[str, Choices | Bounds]:
        """Those with a tie that was disclosed."""
        tied = tuple(each.mediator for each in state.ties) if isinstance(state, MediationState) else ()
        said = say("没有披露关系", "has disclosed no tie")
        return {**super().allowed(state), "mediator": Choices(tied, said)}


class ObjectMediator(OfOneSide):
    """申请更换调解员: another one mediates. One side so often; where a tie was disclosed, without counting."""

    mediator: AccountCode
    reason: TextReference

    @classmethod
    def allowed(cls, state: CaseState) -> Mapping[str, Choices | Bounds]:
        """Those who mediate now."""
        seated = state.mediators if isinstance(state, MediationState) else ()
        said = say("不是本案调解员", "does not mediate in this case")
        return {**super().allowed(state), "mediator": Choices(seated, said)}

    def not_theirs(self, state: CaseState, actor: Actor, now: datetime) -> tuple[Fault, ...]:
        """One side has so many of them."""
        if found := super().not_theirs(state, actor, now):
            return found
        assert isinstance(state, MediationState)  # noqa: S101 - of mediation
        side, most = self.said_by(state, actor), state.terms.objections_at_most
        if state.tie_of(self.mediator) is not None or state.objections.get(side, 0) < most:
            return ()
        said = say(
            f"无披露关系的更换,每方至多{most}次", f"where no tie was disclosed, a side does so {most} times at most"
        )
        return (Fault(field="mediator", reason=said, remedy=say("可终止调解", "you can end the mediation")),)


class AppointAgent(Command):
    """委托代理人: a side says in writing who speaks for it."""

    agent: AccountCode
    written: Document

    def faults(self, state: CaseState) -> tuple[Fault, ...]:
        """Nobody who has a seat already."""
        return tuple(seated_already(state, "agent", self.agent))


class RevokeAgent(Command):
    """撤销委托: who spoke for a side does so no more; what was said before stands."""

    agent: AccountCode

    @classmethod
    def allowed(cls, state: CaseState) -> Mapping[str, Choices | Bounds]:
        """Those who speak for a side now."""
        seats = state.seats_of(AGENT) if isinstance(state, ParticipantsState) else ()
        agents = tuple(seat.subject for seat in seats if seat.subject is not None)
        return {"agent": Choices(agents, say("不是本案代理人", "speaks for nobody here"))}

    def not_theirs(self, state: CaseState, actor: Actor, now: datetime) -> tuple[Fault, ...]:  # noqa: ARG002 - at any time
        """Of one's own side."""
        assert isinstance(state, ParticipantsState)  # noqa: S101 - of procedures with sides
        own_side = state.side_of(actor.subject)
        if state.side_of(self.agent) == own_side:
            return ()
        said = say("不是本方代理人", "speaks for another side")
        return (Fault(field="agent", reason=said, remedy=say("由该方撤销", "that side takes it back")),)


class AddParty(Command):
    """追加当事人: another side, which consents for itself before anything is done with it."""

    contact: TextReference
    account: AccountCode | None = None

    def faults(self, state: CaseState) -> tuple[Fault, ...]:
        """Nobody who has a seat already."""
        return tuple(seated_already(state, "account", self.account)) if self.account is not None else ()


class VisitParty(Command):
    """上门告知: somebody went to a side that had not answered."""

    side: Code
    reached: bool
    finding: TextReference

    @classmethod
    def allowed(cls, state: CaseState) -> Mapping[str, Choices | Bounds]:
        """The sides of the case."""
        return OfOneSide.allowed(state)


class AppointMediator(Command):
    """指定调解员: where the sides have named no one in common in time, or nobody mediates any more."""

    mediators: Annotated[tuple[AccountCode, ...], Field(min_length=1, max_length=9)]

    @classmethod
    def allowed(cls, state: CaseState) -> Mapping[str, Choices | Bounds]:
        """Those on the town's roll who are of no side."""
        return {"mediators": _roll(state)}

    def faults(self, state: CaseState) -> tuple[Fault, ...]:
        """So many, each once."""
        assert isinstance(state, MediationState)  # noqa: S101 - of mediation
        most = state.terms.mediators_at_most
        if len(set(self.mediators)) == len(self.mediators) <= most:
            return super().faults(state)
        said = say(f"调解员1至{most}名,不得重复", f"one to {most} mediate, each named once")
        return (Fault(field="mediators", reason=said, remedy=say("请减少", "name fewer")),)


class Disclose(Command):
    """披露: a mediator's tie to somebody of the case, kin, interest or other; nothing of theirs goes on until it is accepted."""

    tie: TextReference


class AgreeTo(OfOneSide, AnswerTo):
    """同意该项: one side agrees to what a mediator put to every side. `request`: to which."""

    part = Part.PROPOSED
    request: RequestNumber


class DisagreeWith(OfOneSide, AnswerTo):
    """不同意该项: then it is not done, and mediation goes on as it was."""

    part = Part.PROPOSED
    request: RequestNumber


def _roll(state: CaseState) -> Choices:
    free: tuple[str, ...] = ()
    if isinstance(state, MediationState):
        gone = {each.subject for each in state.participants}
        free = tuple(each for each in state.terms.mediators if each not in gone)
    return Choices(free, say("不在调解员名册,或与本案有关", "is not on the roll, or has had a seat in this case"))


def one_of(field: str, given: str, known: Any) -> Fault:
    """That something is none of what the case or the town has."""
    named = ", ".join(known)
    return Fault(
        field=field,
        reason=say(f"没有{given}", f"{given} is none of them"),
        remedy=say(f"可选:{named}", f"one of: {named}"),
    )


def seated_already(state: CaseState, field: str, account: str) -> Iterator[Fault]:
    """That somebody has a seat in the case."""
    if isinstance(state, ParticipantsState) and state.has_seat(account):
        said = say("已是本案参与人", "has a seat in this case already")
        yield Fault(field=field, reason=said, remedy=say("请另选", "name somebody else"))
