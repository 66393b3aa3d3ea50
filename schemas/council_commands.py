"""What people do in a motion 议案, beside what the parts bring: join in it, admit it, talk it over, put it to the vote, do it."""

from collections.abc import Mapping
from datetime import date
from enum import StrEnum
from typing import Annotated, Self

from pydantic import Field, model_validator

from schemas.clocks.calendar import in_shanghai
from schemas.contracts.department import Code
from schemas.council_state import CouncilState, Invited
from schemas.kernel.answers import AnswerTo, RequestNumber
from schemas.kernel.case import CaseState
from schemas.kernel.choices import Bounds, Choices
from schemas.kernel.people import Part
from schemas.kernel.procedure import Command
from schemas.parts.ballots import BallotAsked
from schemas.parts.departments import ToDepartment
from schemas.parts.duties import AcceptDuty, OfDuty
from schemas.parts.quorum import Base, QuorumClass
from schemas.values.account import AccountCode
from schemas.values.case_number import MotionNumber
from schemas.values.document import Document
from schemas.values.references import TextReference
from schemas.values.refusals import Fault, say
from schemas.words.field_words import FieldWords

Heads = Annotated[int, Field(strict=True, ge=1, le=100_000)]
Version = Annotated[int, Field(strict=True, ge=1)]


# ---- onto the agenda --------------------------------------------------------------------------------------------------


class EnterSignatures(Command):
    """录入联名: signatures on paper, with the sheets; they count as those who join in with an account do."""

    signatures: Annotated[Heads, FieldWords("签名人数", "number of signatures")]
    documents: tuple[Document, ...] = Field(min_length=1, max_length=10)

    @classmethod
    def allowed(cls, state: CaseState) -> Mapping[str, Choices | Bounds]:
        """No more than there are people."""
        if not isinstance(state, CouncilState) or state.base is None:
            return {}
        reason = say("联名人数超过应有人数", "there are not so many people")
        remedy = say("请核对名单", "count the sheets again")
        return {"signatures": Bounds(1, max(state.base - state.behind_it, 1), reason, remedy)}


class Admit(Command):
    """立项: the motion goes onto the agenda. `text`: as the committee words it; none: as it was proposed."""

    text: TextReference | None = None


class Ground(StrEnum):
    """Why a motion is not admitted, or not gone on with."""

    UNLAWFUL = "unlawful"
    NOT_OURS = "not_ours"
    DECIDED_THIS_YEAR = "decided_this_year"
    NO_AGREEMENT = "no_agreement"


class Answer(Command):
    """答复: it is not admitted, or not gone on with, and why; whoever proposed it has the answer."""

    ground: Annotated[Ground, FieldWords("不予立项的理由类别", "ground")]
    reason: TextReference
    legal_basis: TextReference | None = None

    @model_validator(mode="after")
    def _unlawful_by_a_law(self) -> Self:
        if self.ground is Ground.UNLAWFUL and self.legal_basis is None:
            raise ValueError("legal_basis: 以违法为由的,须写明法律依据 (what is unlawful is so by a law: name it)")
        return self


class Merge(Command):
    """合并: the same matter is dealt with in another motion."""

    into: Annotated[MotionNumber, FieldWords("并入的议案编号", "number of the other motion")]
    reason: TextReference

    def faults(self, state: CaseState) -> tuple[Fault, ...]:
        """Not into itself."""
        found = super().faults(state)
        if self.into != state.case_id:
            return found
        reason = say("不得并入自身", "a motion is no part of itself")
        return (*found, Fault(field="into", reason=reason, remedy=say("请填写另一议案", "name another motion")))


class PassOn(ToDepartment):
    """转办: it is no matter of the community; a department deals with it."""


# ---- talked over ------------------------------------------------------------------------------------------------------


class Invite(Command):
    """邀请: somebody whom it concerns, or who knows of it, is asked to come."""

    invited: Annotated[Invited, FieldWords("邀请对象", "who is asked")]
    note: TextReference | None = None


class Attend(Command):
    """登记到会: who was asked has come. `invitation`: by its number."""

    invitation: Annotated[Heads, FieldWords("邀请序号", "number of the invitation")]

    @classmethod
    def allowed(cls, state: CaseState) -> Mapping[str, Choices | Bounds]:
        """Those who have not come yet."""
        if not isinstance(state, CouncilState):
            return {}
        waiting = tuple(each.number for each in state.invitations if not each.came)
        return {"invitation": Choices(waiting, say("没有此待登记的邀请", "nobody who was so invited is waited for"))}


class RecordRound(Command):
    """登记议事: a round was held, with minutes that name no resident."""

    present: Annotated[Heads, FieldWords("到会人数", "how many were present")]
    minutes: TextReference
    online: Annotated[bool, FieldWords("是否线上", "held online")] = False


class LegalReview(Command):
    """合法性审查: of this very text; what does not pass names the article that it is against, and is not voted on."""

    passed: Annotated[bool, FieldWords("是否通过", "it passes")]
    finding: TextReference
    legal_basis: TextReference | None = None

    @model_validator(mode="after")
    def _against_an_article(self) -> Self:
        if not self.passed and self.legal_basis is None:
            raise ValueError("legal_basis: 审查不通过须写明所违反的条款 (what does not pass names the article)")
        return self


class Amend(Command):
    """修改: another text; it is posted again, and talked over once more."""

    text: TextReference
    reason: TextReference


# ---- put to the vote --------------------------------------------------------------------------------------------------


class CallBallot(Command):
    """提请表决: the text that is posted, by a class of the town's rules. `version`: the text that was seen."""

    version: Annotated[Version, FieldWords("文本版次", "version of the text")]
    quorum_class: QuorumClass
    base: Base

    @classmethod
    def allowed(cls, state: CaseState) -> Mapping[str, Choices | Bounds]:
        """The text as it stands now, by the classes that its matter is voted on by."""
        if not isinstance(state, CouncilState):
            return {}
        newest = say("文本已修改,请重新查看后再提请", "the text has changed since: look at it again")
        by_law = say("该类事项不得按此类别表决", "this matter is not voted on by that rule")
        return {
            "version": Choices((state.version,), newest),
            "quorum_class": Choices(state.classes, by_law),
        }

    def asked(self, state: CouncilState) -> BallotAsked:
        """What the vote is about: word for word what is posted, frozen by its digest."""
        return BallotAsked(
            question=state.text or state.motion,
            text_digest=state.text_digest,
            quorum_class=self.quorum_class,
            base=self.base,
        )

    def faults(self, state: CaseState) -> tuple[Fault, ...]:
        """Besides: of whom the roll is fits the class."""
        found = super().faults(state)
        if found or not isinstance(state, CouncilState):
            return found
        remedy = say("请另选表决类别或名册", "choose another class, or another roll")
        return tuple(
            Fault(field="base", reason=say("不合表决规则", each), remedy=remedy)
            for each in self.asked(state).faults(state.terms.ballot)
        )


# ---- in force ---------------------------------------------------------------------------------------------------------


class OrderCorrection(Command):
    """责令改正: what was decided is against the law; the order names the article, and it is talked over anew."""

    legal_basis: TextReference
    reason: TextReference


class AssignTask(Command):
    """派任务: what is to be done by a day, and who does it, by account."""

    task: Annotated[Code, FieldWords("任务代码", "code of the task")]
    what: TextReference
    holder: Annotated[AccountCode, FieldWords("承办人账号", "account of whoever does it")]
    due: Annotated[date, FieldWords("完成日期", "to be done by")]

    def faults(self, state: CaseState) -> tuple[Fault, ...]:
        """A code stands once, a case has so many tasks, and no day of the past is named."""
        found = list(super().faults(state))
        if not isinstance(state, CouncilState):
            return tuple(found)
        if any(each.code == self.task for each in state.duties):
            reason = say("该任务代码已使用", "a task of this code stands already")
            found.append(Fault(field="task", reason=reason, remedy=say("请另取代码", "choose another code")))
        if len(state.duties) >= state.terms.tasks_at_most:
            reason = say(
                f"任务已达{state.terms.tasks_at_most}项", f"there are {state.terms.tasks_at_most} tasks, the most"
            )
            found.append(Fault(field="task", reason=reason, remedy=say("请合并任务", "put tasks together")))
        if self.due < in_shanghai(state.last_at or state.opened_at).date():
            reason = say("完成日期已过", "that day is over")
            found.append(Fault(field="due", reason=reason, remedy=say("请填写今后的日期", "name a day to come")))
        return tuple(found)


class ReportTask(OfDuty):
    """报进展: how far a task is, once a month at least."""

    progress: TextReference


class VouchTask(AnswerTo):
    """提议人认可: whoever proposed it has seen that it is done; a watcher accepts it then. `request`: the proof, by its number."""

    part = Part.TASK_PROVED
    request: RequestNumber


class AcceptTask(AcceptDuty):
    """验收: a watcher accepts what the proposer's side has seen done; silence accepts nothing."""

    part = Part.TASK_VOUCHED


class Conclude(Command):
    """执行完毕: everything that was decided is done; what it came to is for everybody to judge."""

    result: TextReference


class Done(StrEnum):
    """Whether what was decided was done, as people see it."""

    DONE = "done"
    PARTLY = "partly"
    NOT_DONE = "not_done"


class Evaluate(Command):
    """评议: one person's word on the result."""

    done: Annotated[Done, FieldWords("是否办成", "whether it was done")]
    worth_it: Annotated[bool, FieldWords("是否值得", "whether it was worth it")]


class FileRuling(Command):
    """登记裁判或决定: by a ruling or an order, with the document; nothing has changed before another person has read it."""

    legal_basis: TextReference
    reason: TextReference
    documents: tuple[Document, ...] = Field(min_length=1, max_length=10)


class Annul(AnswerTo):
    """撤销: another person has read the ruling; what was decided is not in force any more."""

    part = Part.RULING_FILED
    request: RequestNumber
    reason: TextReference
