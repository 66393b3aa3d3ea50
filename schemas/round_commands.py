"""What people do in a round: announce it, hand in a proposal, put the shortlist to the vote, draw a lot, report."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Annotated, Any

from pydantic import Field

from schemas.contracts.payment import Fen
from schemas.kernel.answers import AnswerTo, RequestNumber
from schemas.kernel.case import CaseState
from schemas.kernel.choices import Bounds, Choices
from schemas.kernel.openings import OpeningBody
from schemas.kernel.people import Part, among, how_many, same_account, same_person
from schemas.kernel.procedure import Command
from schemas.parts.ballots import BallotAsked
from schemas.parts.quorum import Base, ChoiceCode, QuorumClass
from schemas.parts.ranking import FULL
from schemas.proposal_carrier import NAMED_BY_NOBODY, CarrierPerson, faults_of_person, of_carrier_person
from schemas.round_policy import RoundTerms
from schemas.round_state import RoundState
from schemas.values.account import AccountCode
from schemas.values.actor import Actor, Role
from schemas.values.bank_account import AccountReference
from schemas.values.canonical import digest
from schemas.values.document import Document
from schemas.values.organisation import OrganisationCode
from schemas.values.references import TextReference
from schemas.values.refusals import Fault, say
from schemas.words.field_words import FieldWords

_PEOPLE_MOST = 100


class Announce(OpeningBody):
    """公告: a round with what it has of the money of this year, what a proposal may cost, and its jury by name."""

    title: TextReference
    pool_fen: Fen
    cap_fen: Fen
    jury: tuple[AccountCode, ...] = Field(min_length=1, max_length=21)
    street_jurors: tuple[AccountCode, ...] = Field(default=(), max_length=21)

    def town_faults(self, policy: Any) -> Iterator[Fault]:
        """More money than there is, another jury than the town takes, or somebody for whom it is held."""
        terms: RoundTerms = policy.terms
        if self.on_behalf_of is not None:
            said = say("大赛不代任何居民公告", "a round is nobody's own: no resident reads what others hand in")
            yield Fault(field="on_behalf_of", reason=said, remedy=say("请删除", "leave it out"))
        if self.pool_fen > terms.pool_at_most_fen:
            said = say(f"奖池超过{terms.pool_at_most_fen}分", f"a year has {terms.pool_at_most_fen} fen")
            yield Fault(field="pool_fen", reason=said, remedy=say("请减少奖池", "make the pool smaller"))
        most = min(terms.cap_at_most_fen, self.pool_fen)
        if not FULL <= self.cap_fen <= most:
            said = say(
                f"单项上限须为{FULL}至{most}分", f"a proposal gets {FULL} fen at the least, and {most} at the most"
            )
            yield Fault(field="cap_fen", reason=said, remedy=say("请调整单项上限", "change it"))
        yield from self._jury_faults(terms)

    def _jury_faults(self, terms: RoundTerms) -> Iterator[Fault]:
        number, least, most = how_many(self.jury), terms.jury_at_least, terms.jury_at_most
        if number < len(self.jury) or not least <= number <= most or number % 2 == 0:
            said = say(
                f"评委须为{least}至{most}名不同的人,且为单数", f"{least} to {most} different people, an odd number"
            )
            yield Fault(field="jury", reason=said, remedy=say("请调整评委名单", "name another jury"))
        strangers = [each for each in self.street_jurors if not among(each, self.jury)]
        if strangers or FULL * how_many(self.street_jurors) > terms.street_percent * number:
            said = say(
                f"街道人员须在评委之中,且不超过{terms.street_percent}%",
                f"those of the street are of the jury, and {terms.street_percent} % of it at the most",
            )
            yield Fault(field="street_jurors", reason=said, remedy=say("请调整评委名单", "name another jury"))


class OpenRound(Command):
    """开赛: another person than who announced it opens it, with the document by which it has the money."""

    budget: Annotated[Document, FieldWords("预算文件", "budget document")]


class Submit(Command):
    """提案: what a team of residents wants to do, what it costs, and which organisation has the money and answers for it.

    `carrier_person`: the account of whoever speaks for that organisation; it is bound by its own word on the contract, and by no
    other. `team`: accounts, first of whoever speaks for it. `kin`: jurors who are kin of it, live or work with it: they judge
    others.
    The plan names nobody: the jury judges it without knowing whose it is.
    """

    need: Annotated[TextReference, FieldWords("需求", "what is needed")]
    plan: TextReference
    site: Annotated[TextReference, FieldWords("实施地点", "where")]
    people_helped: Annotated[int, Field(strict=True, ge=1, le=10**6), FieldWords("受益人数", "how many it helps")]
    cost_fen: Fen
    team: Annotated[
        tuple[AccountCode, ...], Field(min_length=1, max_length=20), FieldWords("团队成员账号", "accounts of the team")
    ]
    kin: Annotated[
        tuple[AccountCode, ...],
        Field(max_length=21),
        FieldWords("有亲属、同住或同事关系的评委", "jurors whom they are tied to"),
    ] = ()
    carrier: Annotated[
        OrganisationCode, FieldWords("承接方统一社会信用代码", "code of the organisation that carries it")
    ]
    carrier_name: Annotated[TextReference, FieldWords("承接方名称", "name of that organisation")]
    account: AccountReference
    carrier_person: CarrierPerson = NAMED_BY_NOBODY

    @classmethod
    def allowed(cls, state: CaseState) -> Mapping[str, Choices | Bounds]:
        """What a proposal of this round may cost, and who its jurors are."""
        if not isinstance(state, RoundState):
            return {}
        reason = say(
            f"须为{FULL}至{state.cap_fen}分",
            f"costs {FULL} fen at the least, and {state.cap_fen}, the most of one proposal",
        )
        no_juror = say("不是本届评委", "is no juror of this round")
        return {
            "cost_fen": Bounds(FULL, state.cap_fen, reason, say("请调整经费", "change what it costs")),
            "kin": Choices(state.jury, no_juror),
        }

    def faults(self, state: CaseState) -> tuple[Fault, ...]:
        """Besides: so many in a team, no juror among them, and nobody is of two."""
        found = list(super().faults(state))
        if not isinstance(state, RoundState):
            return tuple(found)
        least, most = state.terms.team_at_least, state.terms.team_at_most
        if how_many(self.team) < len(self.team) or not least <= len(self.team) <= most:
            said = say(f"团队须为{least}至{most}名不同的人", f"a team has {least} to {most} different people")
            found.append(_of_team(said))
        if any(among(each, state.jury) for each in self.team):
            found.append(_of_team(say("评委不得参加团队", "a juror is of no team")))
        if among(state.opening.actor.subject, self.team):
            found.append(_of_team(say("公告大赛的人员不得参加团队", "who announced the round is of no team")))
        if any(among(each, other.team) for each in self.team for other in state.living):
            found.append(_of_team(say("成员在本届已有提案", "somebody of it is of another proposal of this round")))
        opener = state.opening.actor.subject
        found.extend(faults_of_person(self.carrier_person, team=self.team, jury=state.jury, opener=opener))
        found.extend(self._no_place(state))
        return tuple(found)

    def _no_place(self, state: RoundState) -> Iterator[Fault]:
        """What is over takes no place, and nobody takes one place after the other by handing in and withdrawing."""
        remedy = say("请参加下一届", "hand it in at the next round")
        if len(state.living) >= state.terms.proposals_at_most:
            most = state.terms.proposals_at_most
            yield Fault(field="plan", reason=say(f"提案已达{most}件", f"there are {most}, the most"), remedy=remedy)
        often = state.terms.submissions_at_most
        own = [
            each
            for each in state.entrants
            if among(each.team[0], self.team[:1]) and among(each.team[0], (each.stamp.actor.subject,))
        ]
        if often is not None and len(own) >= often:
            said = say(f"每位负责人在本届至多提交{often}次", f"each hands in {often} of a round, withdrawn ones too")
            yield Fault(field="team", reason=said, remedy=remedy)

    def not_theirs(self, state: CaseState, actor: Actor, now: datetime) -> tuple[Fault, ...]:
        """A resident speaks for the own team; whoever of the staff enters it is of none."""
        found = super().not_theirs(state, actor, now)
        if actor.role is Role.RESIDENT:
            if same_account(actor.subject, self.team[0]):
                return found
            return (
                *found,
                _of_team(say("负责人须为提案人本人", "whoever sends it speaks for the team, and stands first")),
            )
        if among(actor.subject, self.team):
            found = (*found, _of_team(say("代为录入的人员不得参加团队", "who enters it for others is not of the team")))
        if same_person(actor.subject, self.carrier_person):
            found = (
                *found,
                of_carrier_person(say("代为录入的人员不得代表承接方", "who enters it speaks for no carrier")),
            )
        return found


def _of_team(reason: str) -> Fault:
    return Fault(field="team", reason=reason, remedy=say("请调整团队名单", "name another team"))


class CallVote(Command):
    """提请公众投票: what stands on the ballot, each proposal of the shortlist by its code and in plain words."""

    question: Annotated[TextReference, FieldWords("选票说明", "what stands on the ballot")]

    def asked(self, state: RoundState) -> BallotAsked:
        """What the vote is about, frozen by its digest."""
        frozen = digest({"case": state.case_id, "shortlist": list(state.shortlist), "question": self.question})
        return BallotAsked(
            question=self.question,
            text_digest=frozen,
            quorum_class=QuorumClass.CONTEST,
            base=Base.ADULTS,
            choices=state.shortlist,
        )


class DrawLot(Command):
    """抽签: the order that was drawn among those whom the rule cannot tell apart."""

    order: Annotated[
        tuple[ChoiceCode, ...],
        Field(min_length=2, max_length=_PEOPLE_MOST),
        FieldWords("抽签顺序", "order that was drawn"),
    ]

    @classmethod
    def allowed(cls, state: CaseState) -> Mapping[str, Choices | Bounds]:
        """The equals."""
        if not isinstance(state, RoundState):
            return {}
        return {"order": Choices(state.to_draw, say("不在待抽签的同分提案之列", "is none of the equals"))}

    def faults(self, state: CaseState) -> tuple[Fault, ...]:
        """Each of them once."""
        found = super().faults(state)
        if found or not isinstance(state, RoundState) or sorted(self.order) == sorted(state.to_draw):
            return found
        said = say("须列出全部同分提案,各一次", "all of the equals, each once")
        return (Fault(field="order", reason=said, remedy=say("请写明完整顺序", "write the whole order")),)


class ConfirmLot(AnswerTo):
    """见证抽签: another person has seen the lot drawn; `right`: in this order, else it is drawn again."""

    part = Part.LOT_DRAWN
    request: RequestNumber
    right: Annotated[bool, FieldWords("是否属实", "it was so")]


class ReportRound(Command):
    """总结公布: what became of the money and of each proposal, for everybody to read; the round is over."""

    report: Annotated[TextReference, FieldWords("总结", "report")]
    documents: tuple[Document, ...] = Field(min_length=1, max_length=10)
