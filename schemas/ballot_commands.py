"""What people say on a ballot. Nothing here says who voted, or for what: that is not the case's to know."""

from collections.abc import Iterator, Mapping
from typing import Annotated

from pydantic import Field, model_validator

from schemas.ballot_state import BallotState, BoxCode, BoxSheet
from schemas.kernel.answers import AnswerTo, RequestNumber
from schemas.kernel.case import CaseState
from schemas.kernel.choices import Bounds, Choices
from schemas.kernel.people import Part
from schemas.kernel.procedure import Command
from schemas.parts.ballots import Digest, UnitCode
from schemas.parts.quorum import AreaHundredths, Roll
from schemas.parts.quorum import Count as WholeNumber
from schemas.values.document import Document
from schemas.values.references import TextReference
from schemas.values.refusals import Fault, say
from schemas.words.field_words import FieldWords

_VOTERS = FieldWords("表决人数", "number of voters")
_AREA = FieldWords("面积(0.01平方米)", "area in 0.01 m2")


class PostRoll(Command):
    """公示名册: the roll by unit is posted; here stand its digest (`jiceng ballot-roll FILE`) and how many it holds."""

    digest: Annotated[Digest, FieldWords("名册摘要", "digest of the roll")]
    units: Annotated[int, Field(strict=True, ge=1, le=10**6), FieldWords("单元数", "number of units")]
    voters: Annotated[int, Field(strict=True, ge=1, le=10**6), _VOTERS]
    area_hundredths: Annotated[AreaHundredths, _AREA] = 0

    @model_validator(mode="after")
    def _is_a_roll(self) -> "PostRoll":
        if self.voters > self.units:
            raise ValueError("voters: 表决人数不得多于单元数 (no more voters than units)")
        return self

    @property
    def roll(self) -> Roll:
        """The roll that it posts."""
        return Roll(digest=self.digest, units=self.units, voters=self.voters, area_hundredths=self.area_hundredths)

    def faults(self, state: CaseState) -> tuple[Fault, ...]:
        """A vote by area needs the areas; in every other one a unit votes once, and an owner of many flats is no class of it."""
        found = super().faults(state)
        if isinstance(state, BallotState) and not state.rule.by_area and self.voters != self.units:
            found = (
                *found,
                _fault("voters", "一户一票,表决人数须等于单元数", "each unit votes once: as many voters as units"),
            )
        if isinstance(state, BallotState) and state.rule.by_area and not self.area_hundredths:
            fault = Fault(
                field="area_hundredths",
                reason=say("按面积表决须填面积", "a vote by area needs the areas"),
                remedy=say("请填写总面积(0.01平方米)", "say the whole area in 0.01 m2"),
            )
            return (*found, fault)
        return found


class CorrectRoll(PostRoll):
    """更正名册: the roll as it is right, before it is frozen; answers what was objected to it."""

    reason: TextReference


class OfUnit(Command):
    """A command about one unit."""

    unit: Annotated[UnitCode, FieldWords("单元", "unit")]


class StrikeUnit(OfUnit):
    """空户除名: nobody is left in a unit who could vote; it leaves the base when another person has looked too.

    `voters`: 0 where its owner has another one, which there is in a vote by area alone.
    """

    voters: Annotated[int, Field(strict=True, ge=0, le=1), _VOTERS] = 1
    area_hundredths: Annotated[AreaHundredths, _AREA] = 0
    reason: TextReference

    def faults(self, state: CaseState) -> tuple[Fault, ...]:
        """Each once, and somebody has to be left."""
        found = super().faults(state)
        if not isinstance(state, BallotState):
            return found
        if self.unit in {each.unit for each in (*state.struck, *state.strikes_asked)}:
            return (*found, _fault("unit", "该户已除名或已申请除名", "is struck already, or it was asked for"))
        if not state.rule.by_area and (self.voters != 1 or self.area_hundredths):
            return (
                *found,
                _fault(
                    "voters", "一户一票:除名一户即减一人,不计面积", "each unit votes once: it is one voter, and no area"
                ),
            )
        return (*found, *strike_faults(state, "unit", self.voters, self.area_hundredths))


def strike_faults(state: BallotState, field: str, voters: int, area_hundredths: int) -> Iterator[Fault]:
    """Why a unit cannot leave the roll: somebody has to be left on it."""
    base = state.base_roll
    if base.units <= 1 or base.voters - voters < 1 or area_hundredths > base.area_hundredths:
        yield _fault(field, "除名后名册为空", "nobody would be left on the roll")
    elif base.voters - voters > base.units - 1:
        yield _fault(field, "除名后人数多于户数", "there would be more voters than units")


class ConfirmStrike(AnswerTo):
    """复核除名: another person has looked whether nobody is left there. Not `right`: the unit stays on the roll."""

    part = Part.STRIKE_ASKED
    request: RequestNumber
    right: Annotated[bool, FieldWords("是否属实", "it is right")]

    def faults(self, state: CaseState) -> tuple[Fault, ...]:
        """Others may have left since it was asked for."""
        found = super().faults(state)
        asked = state.strikes_asked if isinstance(state, BallotState) else []
        struck = next((each for each in asked if each.number == self.request), None)
        if struck is None or not self.right or not isinstance(state, BallotState):
            return found
        return (*found, *strike_faults(state, "request", struck.voters, struck.area_hundredths))


class NameProxy(OfUnit):
    """委托: in writing, one unit votes for another. Who stands to win by the vote is nobody's proxy."""

    by: Annotated[UnitCode, FieldWords("受托单元", "unit that votes for it")]
    paper: Annotated[Document, FieldWords("委托书", "what the voter signed")]

    def faults(self, state: CaseState) -> tuple[Fault, ...]:
        """One proxy a unit, so many a person, and no rival."""
        return (*super().faults(state), *(self._proxy_faults(state) if isinstance(state, BallotState) else ()))

    def _proxy_faults(self, state: BallotState) -> Iterator[Fault]:
        struck = {each.unit for each in state.struck}
        unit, proxy = self.unit, self.by
        proxies = {each.unit: each.by for each in state.proxies}
        if unit == proxy:
            yield _fault("by", "不能委托自己", "is the unit itself")
        if unit in proxies:
            yield _fault("unit", "已有受托人", "has a proxy already")
        if unit in proxies.values() or proxy in proxies:
            yield _fault("by", "受托人不得转委托", "a proxy is not passed on")
        if list(proxies.values()).count(proxy) >= (most := state.rules.proxies_per_person):
            yield _fault("by", f"每人最多接受{most}户委托", f"holds {most} already, and no more are taken")
        if proxy in state.asked.rivals:
            yield _fault("by", "利害关系人不得受托", "stands to win by it, and is nobody's proxy")
        for name, named in (("unit", unit), ("by", proxy)):
            if named in struck:
                yield _fault(name, "该户已除名", "is struck")


class RevokeProxy(OfUnit):
    """撤销委托: the unit votes for itself again, unless its ballot was taken before."""

    @classmethod
    def allowed(cls, state: CaseState) -> Mapping[str, Choices | Bounds]:
        """The units that have one."""
        if not isinstance(state, BallotState):
            return {}
        reason = say("该户没有委托", "has no proxy")
        return {"unit": Choices(tuple(each.unit for each in state.proxies), reason)}


class SealBox(Command):
    """封箱: a box for papers is closed, and so many papers were given out for it."""

    box: Annotated[BoxCode, FieldWords("票箱", "box for papers")]
    given: Annotated[WholeNumber, FieldWords("发出票数", "papers given")]

    def faults(self, state: CaseState) -> tuple[Fault, ...]:
        """Each once, and no more papers than there are voters."""
        found = super().faults(state)
        if not isinstance(state, BallotState):
            return found
        if self.box in {*(each.box for each in state.boxes), *state.poured}:
            found = (*found, _fault("box", "该票箱已封", "is sealed already"))
        if sum(each.given for each in state.boxes) + self.given > state.base_roll.voters:
            found = (*found, _fault("given", "发票数多于名册表决人数", "more papers than there are voters on the roll"))
        return found


class Count(Command):
    """计票: what one teller found, alone, in every box. Two sheets that are equal are the count."""

    boxes: Annotated[tuple[BoxSheet, ...], FieldWords("各箱计票", "sheet of each box")] = Field(
        min_length=1, max_length=50
    )

    def faults(self, state: CaseState) -> tuple[Fault, ...]:
        """Every box that was sealed, each once, with sums that are right."""
        return (*super().faults(state), *(self._sheet_faults(state) if isinstance(state, BallotState) else ()))

    def _sheet_faults(self, state: BallotState) -> Iterator[Fault]:
        if sorted(each.box for each in self.boxes) != sorted(each.box for each in state.boxes):
            yield _fault("boxes", "须填全部已封票箱,每箱一次", "has to name every box that was sealed, each once")
        for number, sheet in enumerate(self.boxes):
            yield from _sheet_faults(f"boxes.{number}", sheet, state)
        if sum(each.area_hundredths for each in self.boxes) > state.base_roll.area_hundredths:
            yield _fault("boxes", "面积合计多于名册", "more area than there is on the roll")


def _sheet_faults(place: str, sheet: BoxSheet, state: BallotState) -> Iterator[Fault]:
    """What is wrong with the figures of one box."""
    choices, most = len(state.asked.choices), state.rule.choices_at_most
    valid = sheet.papers - sheet.abstained - sheet.spoilt
    if len(sheet.votes) != choices:
        yield _fault(f"{place}.votes", f"须有{choices}项", f"has to have {choices} numbers, one for each choice")
    sums = sum(sheet.votes) == valid if most == 1 else valid <= sum(sheet.votes) <= most * valid
    if valid < 0 or not sums or any(each > valid for each in sheet.votes):
        yield _fault(f"{place}.papers", "各项之和与票数不符", "the sums do not come to the number of papers")
    if state.rule.by_area:
        if len(sheet.areas) != choices or sum(sheet.areas) > sheet.area_hundredths:
            yield _fault(f"{place}.areas", "面积之和不符", "one area for each choice, and no more than all of them")
    elif sheet.areas or sheet.area_hundredths:
        yield _fault(f"{place}.areas", "本次表决不计面积", "this vote does not count areas")


class Rule(Command):
    """裁定: how many units are doubtful; where they could turn the result, the vote is void."""

    doubtful_units: Annotated[WholeNumber, FieldWords("存疑单元数", "doubtful units")]
    doubtful_area_hundredths: Annotated[
        AreaHundredths, FieldWords("存疑面积(0.01平方米)", "doubtful area in 0.01 m2")
    ] = 0
    reason: TextReference


def _fault(field: str, zh: str, en: str) -> Fault:
    return Fault(field=field, reason=say(zh, en), remedy=say("请核对后重填", "look again, and mend it"))
