"""What auditors ask of a summons: declines and rulings, who stayed away by which limit, and its limits under other rules."""

from collections.abc import Mapping

from schemas.case import Entry
from schemas.clocks import Limit
from schemas.explanation import Because, Explain
from schemas.refusals import say
from schemas.summons_entries import Kind
from schemas.summons_state import SummonsState
from schemas.whistle_policy import WhistlePolicy

POLICY = "policies/whistle.yaml"


def limits_under(state: SummonsState, policy: WhistlePolicy) -> Mapping[str, Limit]:
    """The limits of the clocks that are somebody's duty, as a summons of this type would get them under a policy."""
    limits = policy.terms.types[state.type]
    return {name: getattr(limits, name) for name in ("respond", "arrive", "finish", "arbitrate")}


def _declined(entry: Entry, state: SummonsState) -> Because:
    return Because(
        rule=say("部门报到权限表:反哨", "the table of summons: decline"),
        says=say(
            "部门可反哨一次,须说明理由和依据,由综合协调裁定", "once, with reason and legal basis; the coordinator rules"
        ),
        legal_basis=entry.facts.get("legal_basis"),
        inputs={"department": state.department, "reason": entry.facts.get("reason")},
    )


def _ruled(entry: Entry, state: SummonsState) -> Because:
    upheld = entry.facts.get("upheld")
    outcome = (
        say("反哨成立,免于报到", "it need not come")
        if upheld
        else say("必须报到,不得再反哨", "it has to come; the ruling binds")
    )
    return Because(
        rule=f"{POLICY} terms.types.{state.type}.arbitrate",
        says=outcome,
        inputs={"department": state.department, "upheld": upheld, "reason": entry.facts.get("reason")},
    )


def _given_up(entry: Entry, state: SummonsState) -> Because:
    after = state.limits.given_up_after
    return Because(
        rule=f"{POLICY} terms.types.{state.type}.given_up_after",
        says=say(
            f"末级上报后 {after.chinese} 仍未到场或办结,不再等候",
            f"no longer waited for {after.english} after the last tier",
        ),
        inputs={
            "department": state.department,
            "late": list(state.late),
            "responded_at": state.responded_at,
            "arrived_at": state.arrived_at,
            "by_itself": entry.stamp is None,
        },
    )


def _scored(entry: Entry, state: SummonsState) -> Because:
    return Because(
        rule=say("街道在吹哨案件中评分", "the street scored it on the whistle"),
        says=say(f"评分见吹哨案件 {state.parent}", f"the score stands in the whistle {state.parent}"),
        inputs={"score": entry.facts.get("score"), "reason": entry.facts.get("reason"), "late": list(state.late)},
    )


EXPLANATIONS: Mapping[str, Explain] = {
    Kind.DECLINED: _declined,
    Kind.RULED: _ruled,
    Kind.RELEASED: _ruled,
    Kind.ABSENT: _given_up,
    Kind.UNFINISHED: _given_up,
    Kind.SCORED: _scored,
}
