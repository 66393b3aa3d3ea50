"""warning 预警: what people say of a warning, its shelters and its places."""

from collections.abc import Callable, Collection, Iterator, Mapping
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any

from pydantic import Field

from schemas.clocks.calendar import TownDatetime
from schemas.contracts.department import Code
from schemas.kernel.answers import AnswerTo, RequestNumber
from schemas.kernel.case import CaseState
from schemas.kernel.choices import Bounds, Choices
from schemas.kernel.openings import OpeningBody
from schemas.kernel.people import Part, account_among, among, same_person
from schemas.kernel.procedure import Command
from schemas.parts.items import ITEMS_AT_MOST
from schemas.sweep_state import Release
from schemas.values.account import AccountCode
from schemas.values.actor import Actor, Role
from schemas.values.area import overlap
from schemas.values.foreign_code import KeptCode
from schemas.values.location import AreaCode
from schemas.values.references import TextReference
from schemas.values.refusals import Fault, say
from schemas.warning_state import HOUSEHOLDS_AT_MOST, Source, Stage, WarningState, kept_points, kept_shelters
from schemas.warning_terms import Hazard, WarningLevel, WarningPolicy, Zone
from schemas.words.field_words import FieldWords

People = Annotated[int, Field(strict=True, ge=0, le=10_000)]


def warning_of(state: CaseState) -> WarningState:
    """The state as that of a warning."""
    assert isinstance(state, WarningState)  # noqa: S101 - of warnings alone
    return state


class IssueWarning(OpeningBody):
    """发布预警: of what, how grave, where, from when on, and why; or a drill, which goes the same way and is marked as one."""

    hazard: Hazard
    level: Annotated[WarningLevel, FieldWords("等级", "level")]
    onset: Annotated[TownDatetime | None, FieldWords("预计开始时间", "when it begins")] = None
    reason: TextReference
    drill: bool = False

    def begins_with(self, policy: Any) -> Mapping[str, Any]:
        """The risk points and shelters of the area, and the department that leads."""
        return taken_from(policy, self.area)

    def town_faults(self, policy: Any) -> Iterator[Fault]:
        """So many households fit in one warning: a larger area is warned part by part."""
        assert isinstance(policy, WarningPolicy)  # noqa: S101 - that of warnings
        count = sum(len(each.households) for each in policy.points_in(self.area).values())
        if count > HOUSEHOLDS_AT_MOST:
            said = say(
                f"此区域有{count}户,一案最多{HOUSEHOLDS_AT_MOST}户",
                f"{count} households are at risk there, and {HOUSEHOLDS_AT_MOST} fit in a warning",
            )
            yield Fault(field="area", reason=said, remedy=say("请按街道分别发布", "warn street by street"))


class OfficialWarning(IssueWarning):
    """官方预警: what the issuer's signed message says, as the case begins with it; no person sends this."""

    source: Source = Source.OFFICIAL
    identifiers: tuple[KeptCode, ...]
    sent_at: TownDatetime
    expires: TownDatetime | None = None
    without: tuple[AreaCode, ...] = ()
    named: tuple[AreaCode, ...] = ()

    def begins_with(self, policy: Any) -> Mapping[str, Any]:
        """The same, but for the areas that have a warning of the same danger already; and what it begins with stands."""
        return {**taken_from(policy, self.area, self.without), "standing": list(self.identifiers)}


class MessageType(StrEnum):
    """What a message of the issuer is."""

    ALERT = "alert"
    UPDATE = "update"
    CANCEL = "cancel"


class HearIssuer(Command):
    """发布机构消息: a later message on the same danger. By `sent` the later one counts; each has its number, for ever.

    `references`: those that it goes on with, or calls off; `called_off`: its own cancel has come before it; `part`: it names less
    than the area of the warning.
    """

    identifier: Annotated[KeptCode, FieldWords("消息编号", "number of the message")]
    sent: Annotated[TownDatetime, FieldWords("发布时间", "sent")]
    message_type: Annotated[MessageType, FieldWords("消息类型", "kind of message")]
    references: Annotated[tuple[KeptCode, ...], FieldWords("所涉消息编号", "messages that it is of")] = ()
    called_off: Annotated[bool, FieldWords("已先被取消", "called off before it came")] = False
    part: Annotated[bool, FieldWords("仅涉及部分区域", "of a part of the area")] = False
    level: Annotated[WarningLevel, FieldWords("等级", "level")]
    onset: Annotated[TownDatetime | None, FieldWords("预计开始时间", "when it begins")] = None
    expires: Annotated[TownDatetime | None, FieldWords("失效时间", "when it runs out")] = None


def taken_from(policy: Any, area: str, without: Collection[str] = ()) -> Mapping[str, Any]:
    """What a warning of an area takes along of the town's lists, as they are when it begins."""
    assert isinstance(policy, WarningPolicy)  # noqa: S101 - that of warnings
    return {
        "department": policy.terms.department,
        "points": kept_points(policy.points_in(area, without)),
        "shelters": kept_shelters(policy.shelters_in(area)),
    }


class AnswerDismissal(AnswerTo):
    """A word on giving no warning, of another person than who asked for that."""

    part = Part.DISMISSAL_ASKED
    request: RequestNumber


class ConfirmDismissal(AnswerDismissal):
    """同意不予发布: two people say that it is nothing."""


class RefuseDismissal(AnswerDismissal):
    """不同意不予发布: it is a warning, and goes on."""


class AskCancel(Command):
    """提请取消: by somebody who has not issued it: why it is none."""

    reason: TextReference


class AnswerCancel(AnswerTo):
    """A word on taking it back, of another person than who asked for that."""

    part = Part.CANCEL_ASKED
    request: RequestNumber


class ConfirmCancel(AnswerCancel):
    """同意取消: two people take it back."""


class RefuseCancel(AnswerCancel):
    """不同意取消: it goes on."""


class AskAllClear(Command):
    """提请解除: it is over although its issuer says nothing: why, and where those are who lack."""

    reason: TextReference


class AnswerAllClear(AnswerTo):
    """A word on the all clear, of another person than who asked for it."""

    part = Part.ALL_CLEAR_ASKED
    request: RequestNumber


class ConfirmAllClear(AnswerAllClear):
    """同意解除: two people say that it is over."""


class RefuseAllClear(AnswerAllClear):
    """不同意解除: it goes on."""


class AcknowledgeCall(Command):
    """应答: somebody of this place has understood, and says so. Picked up is not answered."""

    point: Annotated[Code, FieldWords("风险点", "risk point")]

    @classmethod
    def allowed(cls, state: CaseState) -> Mapping[str, Choices | Bounds]:
        """The places for which nobody has answered yet."""
        points = tuple(each.point for each in warning_of(state).unanswered)
        return {"point": Choices(points, say("此处无待应答的叫应", "no call of this place waits for an answer"))}

    def not_theirs(self, state: CaseState, actor: Actor, now: datetime) -> tuple[Fault, ...]:  # noqa: ARG002 - at any time
        """Of the grid, whoever leads at this very place or stands in; of the streets that of the place: another one has its own."""
        place = warning_of(state).points.get(self.point)
        if place is None:
            return ()
        if actor.role is not Role.GRID_WORKER:
            return () if actor.area is None or overlap(place.area, actor.area) else (ANOTHER_STREETS,)
        if account_among(actor.subject, (place.leader, place.deputy)):
            return ()
        said = say("须由该处责任人或替补应答", "who leads there answers, or who stands in")
        return (Fault(field="point", reason=said, remedy=say("请由该处人员应答", "leave it to them")),)


ANOTHER_STREETS = Fault(
    field="point",
    reason=say("此处在另一街道", "this place lies in another street"),
    remedy=say("请由该街道应答", "leave it to that street"),
)


class OrderMove(Command):
    """下令转移: whom, by list. Whoever is on a list already stays on that one."""

    zones: Annotated[tuple[Zone, ...], Field(min_length=1, max_length=3), FieldWords("名单", "lists")]


class RaiseLevel(Command):
    """升级: graver than it was said to be, from when on, and why. It adds; nothing that was ordered before is undone."""

    level: Annotated[WarningLevel, FieldWords("等级", "level")]
    onset: Annotated[TownDatetime | None, FieldWords("预计开始时间", "when it begins")] = None
    reason: TextReference

    @classmethod
    def allowed(cls, state: CaseState) -> Mapping[str, Choices | Bounds]:
        """What is graver."""
        graver = tuple(each for each in WarningLevel if each.is_above(warning_of(state).level))
        return {"level": Choices(graver, say("须高于现有等级", "it is graver than it was"))}


class NamePlace(Command):
    """新增地点: a place in no plan is in danger: tents, a site. Who leads there, and who stands in; the case gives it its code."""

    leader: Annotated[AccountCode, FieldWords("责任人", "who leads there")]
    deputy: Annotated[AccountCode, FieldWords("替补责任人", "who stands in")]
    where: Annotated[TextReference, FieldWords("地点", "where")]

    def faults(self, state: CaseState) -> tuple[Fault, ...]:
        """Who stands in is somebody else."""
        found = super().faults(state)
        if not same_person(self.leader, self.deputy):
            return found
        said = say("责任人与替补须为不同的人", "the deputy is another person than who leads")
        return (*found, Fault(field="deputy", reason=said, remedy=say("请另选替补", "name somebody else")))


class FoundHousehold(Command):
    """补充: a household on no list, found on the way. It goes to the team of its place; the case gives it its code."""

    point: Annotated[Code, FieldWords("风险点", "risk point")]
    zone: Annotated[Zone, FieldWords("名单", "list")]
    heads: Annotated[int, Field(strict=True, ge=1, le=500), FieldWords("户内人数", "how many live there")]
    address: TextReference

    @classmethod
    def allowed(cls, state: CaseState) -> Mapping[str, Choices | Bounds]:
        """A place that has a team."""
        points = tuple(warning_of(state).points)
        return {"point": Choices(points, say("本案没有此风险点", "is no risk point of this warning"))}

    def faults(self, state: CaseState) -> tuple[Fault, ...]:
        """There is room, in the warning and in the sweep of the place."""
        found, warning = list(super().faults(state)), warning_of(state)
        if warning.at_risk >= HOUSEHOLDS_AT_MOST:
            said = say(f"一案最多{HOUSEHOLDS_AT_MOST}户", f"one warning has room for {HOUSEHOLDS_AT_MOST}")
            found.append(Fault(field="point", reason=said, remedy=say("请另发预警", "give another one for the others")))
        place = warning.points.get(self.point)
        if place is not None and len(place.households) >= ITEMS_AT_MOST:
            said = say(f"一处最多{ITEMS_AT_MOST}户", f"one place has room for {ITEMS_AT_MOST}")
            found.append(
                Fault(field="point", reason=said, remedy=say("请新增地点", "name another place for the others"))
            )
        return tuple(found)


class ReportCasualty(Command):
    """伤亡: how many, and where; names come later. It is told at once, and never removed."""

    dead: Annotated[People, FieldWords("死亡", "dead")]
    missing: Annotated[People, FieldWords("失踪", "missing")]
    hurt: Annotated[People, FieldWords("受伤", "hurt")]
    where: Annotated[TextReference, FieldWords("地点和情况", "where, and what happened")]

    def faults(self, state: CaseState) -> tuple[Fault, ...]:
        """Somebody."""
        found = super().faults(state)
        if found or self.dead or self.missing or self.hurt:
            return found
        said = say("须填写人数", "say how many")
        return (Fault(field="hurt", reason=said, remedy=say("至少1人", "one at the least")),)


# ---- over, and back ---------------------------------------------------------------------------------------------------


class DeclareAllClear(Command):
    """解除: after the issuer's word or when it has run out. `despite`: why, although somebody lacks in a count, or is not safe."""

    despite: TextReference | None = None

    def faults(self, state: CaseState) -> tuple[Fault, ...]:
        """Never over somebody's head who was not counted, or to whom nobody came."""
        found, warning = list(super().faults(state)), warning_of(state)
        if self.despite is not None:
            return tuple(found)
        remedy = say("请先找到,或写明下落和理由", "find them first, or say where they are and why it is over")
        if lacks := warning.missing:
            said = say(f"清点缺{lacks}人", f"{lacks} people lack in the last count")
            found.append(Fault(field="despite", reason=said, remedy=remedy))
        if lost := sum(each.missing for each in warning.casualties):
            said = say(f"伤亡报告中失踪{lost}人", f"{lost} people are reported missing")
            found.append(Fault(field="despite", reason=said, remedy=remedy))
        if unsafe := warning.not_safe:
            said = say(f"尚有{len(unsafe)}户未脱险", f"{len(unsafe)} households are not safe")
            found.append(Fault(field="despite", reason=said, remedy=remedy))
        return tuple(found)


class InspectPlace(Command):
    """评估: a place was looked at by two, of the department and of the grid; each says what they saw."""

    point: Annotated[Code, FieldWords("风险点", "risk point")]
    safe: Annotated[bool, FieldWords("是否安全", "it is safe")]
    second: Annotated[AccountCode, FieldWords("同行人", "second person")]
    finding: TextReference

    @classmethod
    def allowed(cls, state: CaseState) -> Mapping[str, Choices | Bounds]:
        """The places of this warning; while it is looked back on, those to which people are back, and that they are unsafe."""
        warning = warning_of(state)
        if warning.stage != Stage.REVIEWING:
            over = tuple(code for code in warning.points if warning.is_over_at(code))
            return {"point": Choices(over, _not_over(warning))}
        said = say(
            "复盘期间只能登记已准返处不安全",
            "while it is looked back on only a place that was released is found unsafe",
        )
        released = tuple(code for code, each in warning.points.items() if each.released == Release.HOME)
        return {"point": Choices(released, said), "safe": Choices((False,), said)}

    def not_theirs(self, state: CaseState, actor: Actor, now: datetime) -> tuple[Fault, ...]:  # noqa: ARG002 - at any time
        """Nobody looks alone."""
        if same_person(self.second, actor.subject):
            said = say("须两人同行", "two people go there")
            return (Fault(field="second", reason=said, remedy=say("请填写另一人", "name the other one")),)
        place = warning_of(state).points.get(self.point)
        others = [] if place is None else [two for role, two in place.inspectors.items() if role != actor.role]
        if any(among(actor.subject, two) or among(self.second, two[:1]) for two in others):
            said = say("部门和网格须由不同的人评估", "the department and the grid look at it by different people")
            return (Fault(field="second", reason=said, remedy=say("请由其他人评估", "leave it to others")),)
        return ()


def _not_over(warning: WarningState) -> Callable[[str], str]:
    def reason(code: str) -> str:
        if code in warning.points:
            return say("该处尚未解除", "it is not over there")
        return say("本案没有此风险点", "is no risk point of this warning")

    return reason


class PermitReturn(Command):
    """准返: to these places, which two kinds of people have found safe; where one did not, people are rehoused."""

    points: Annotated[tuple[Code, ...], Field(min_length=1, max_length=200), FieldWords("风险点", "risk points")]

    @classmethod
    def allowed(cls, state: CaseState) -> Mapping[str, Choices | Bounds]:
        """The places that both have looked at."""
        warning = warning_of(state)
        looked = tuple(
            code for code, each in warning.points.items() if len(each.inspected) > 1 and warning.is_over_at(code)
        )
        return {"points": Choices(looked, say("须部门和网格都已评估", "the department and the grid look at it first"))}


class Review(Command):
    """复盘: what went how, and how many were on no list."""

    findings: Annotated[TextReference, FieldWords("复盘情况", "what was found")]
    on_no_list: Annotated[People, FieldWords("不在任何名单上的人数", "how many were on no list")]
