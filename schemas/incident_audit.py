"""What auditors ask of an incident: how its decisions come about, and which limits it would have under other rules."""

from collections.abc import Mapping

from schemas.advice.proposals import Taken
from schemas.clocks.clocks import Limit
from schemas.incident_policy import IncidentPolicy
from schemas.incident_state import IncidentState
from schemas.kernel.case import Entry
from schemas.kernel.explanation import Because
from schemas.values.refusals import say

LIST = "policies/incident.yaml"


def limits_under(state: IncidentState, policy: IncidentPolicy) -> Mapping[str, Limit]:
    """The limits of the clocks that are somebody's duty, as a report of this category would get them under a policy."""
    terms = policy.terms
    limits = terms.urgencies[policy.responsibility(state.category)[0].urgency]
    return {
        "screen": terms.screen_within(policy.responsibility(state.category)[0].urgency),
        "sign": terms.sign_within(policy.responsibility(state.category)[0].urgency),
        "respond": limits.respond,
        "finish": limits.finish,
        "verify": terms.verify,
        "supervise": terms.supervise,
    }


def why_screened(_entry: Entry, state: IncidentState) -> Because:
    """Because nobody's account stands behind the report."""
    within = state.terms.screen_within(state.urgency)
    return Because(
        rule=f"{LIST} terms.screen",
        says=say(
            "未登录上报,须先经综合协调核实",
            "it was reported without an account, so the coordination centre looks first",
        ),
        inputs={"category": state.category, "urgency": state.urgency},
        arithmetic=(
            say(f"紧急程度 {state.urgency}:核实 {within.chinese}", f"to be looked at within {within.english}"),
        ),
    )


def why_dispatched(entry: Entry, state: IncidentState) -> Because:
    """By which line of the responsibility list."""
    responsibility, department = state.responsibility, str(entry.facts["department"])
    inputs = {
        "category": state.category,
        "listed": state.listed,
        "department": responsibility.department,
        "urgency": responsibility.urgency,
        "evidence": responsibility.evidence,
    }
    if state.proposed is not None:
        inputs |= {"proposed": state.proposed.model_dump(mode="json")}
    if entry.facts.get("anew"):
        return Because(
            rule=say("原派单部门的系统遗失派单", "the department's own system has lost its order"),
            says=say("同一部门重新派单", "the same department gets it as a new order"),
            inputs=inputs | {"order": entry.facts.get("order")},
        )
    if state.listed:
        rule = f"{LIST} categories.{state.category}"
        says = say(
            f"权责清单:{state.category} 归 {department} 办理",
            f"the responsibility list: {department} answers for this category",
        )
    else:
        rule = f"{LIST} terms.fallback_department"
        says = say(
            f"类别不在权责清单,归 {department} 协调",
            f"the category is not on the list: {department} decides who deals with it",
        )
    limits = state.terms.urgencies[state.urgency]
    return Because(
        rule=rule,
        says=says,
        legal_basis=responsibility.legal_basis,
        inputs=inputs,
        arithmetic=(
            *_proposed(state),
            say(
                f"紧急程度 {state.urgency}:响应 {limits.respond.chinese},办结 {limits.finish.chinese}",
                f"{LIST} terms.urgencies.{state.urgency}",
            ),
            say(f"签收 {state.terms.sign_within(state.urgency).chinese}", f"{LIST} terms.sign"),
        ),
    )


def _proposed(state: IncidentState) -> tuple[str, ...]:
    """Which model said what, and what was taken of it."""
    proposed = state.proposed
    if proposed is None:
        return ()
    said = "、".join(f"{each.category} {each.permille / 10:.1f}%" for each in proposed.first)
    model, above = f"{proposed.version} ({proposed.model[:12]}…)", f"{proposed.takes_above_permille / 10:.0f}%"
    taken = {
        Taken.GIVEN: say("类别由上报人选定", "the category is whoever reported it's"),
        Taken.PROPOSED: say(
            f"未写类别,首条不低于{above},按其派单", f"no category was given: the first is at least {above}"
        ),
        Taken.LEFT_OPEN: say(
            f"未写类别,首条低于{above},由综合协调决定", f"no category was given, and none is at least {above}"
        ),
    }[proposed.taken]
    return (say(f"模型第{model}版建议:{said}", f"proposed by model {model}"), taken)


def why_returned(entry: Entry, state: IncidentState) -> Because:
    """How often, and how long, an order may be returned."""
    returns, most = entry.facts["returns"], state.terms.returns_at_most
    return Because(
        rule=f"{LIST} terms.returns_at_most, terms.return_within",
        says=say(
            f"每案至多退单{most}次,签收后{state.terms.return_within.chinese}内可退",
            f"at most {most} returns in a case, and inside {state.terms.return_within.english} after signing",
        ),
        legal_basis=entry.facts.get("legal_basis"),
        inputs={"department": entry.facts.get("department"), "reason": entry.facts.get("reason"), "returns": returns},
        arithmetic=(say(f"第{returns}次退单,上限{most}次", f"return {returns} of at most {most}"),),
    )


def why_arbitrated(entry: Entry, state: IncidentState) -> Because:
    """By whose word, and whether as the list says."""
    return Because(
        rule=say("事件处置权限表:裁定", "the table of incident: arbitrate"),
        says=say(
            "综合协调指定部门,裁定具有约束力,不得再退单", "the coordinator names the department; the ruling binds"
        ),
        legal_basis=state.responsibility.legal_basis,
        inputs={
            "department": entry.facts.get("department"),
            "reason": entry.facts.get("reason"),
            "returns_before": state.returns,
            "by_the_list": state.responsibility.department,
        },
        arithmetic=_by_the_list(entry, state),
    )


def why_redispatched(entry: Entry, state: IncidentState) -> Because:
    """By whose word, and whether as the list says."""
    return Because(
        rule=say("事件处置权限表:改派", "the table of incident: redispatch"),
        says=say("改派后签收重新计时,办结继续计时", "`sign` starts anew, `finish` goes on"),
        inputs={
            "department": entry.facts.get("department"),
            "reason": entry.facts.get("reason"),
            "by_the_list": state.responsibility.department,
        },
        arithmetic=_by_the_list(entry, state),
    )


def _by_the_list(entry: Entry, state: IncidentState) -> tuple[str, ...]:
    listed, chosen = state.responsibility.department, entry.facts.get("department")
    if listed == chosen:
        return (say(f"与权责清单一致:{listed}", "as the responsibility list says"),)
    return (
        say(f"权责清单为 {listed},决定为 {chosen}", f"the responsibility list says {listed}, decided was {chosen}"),
    )


def why_unresolved(entry: Entry, state: IncidentState) -> Because:
    """After how long, or by whom."""
    return Because(
        rule=f"{LIST} terms.unresolved_after",
        says=say(
            f"末级上报后{state.terms.unresolved_after.chinese}无人办结则终结;综合协调亦可说明理由终结",
            f"ends {state.terms.unresolved_after.english} after the last tier, or by the coordinator with a reason",
        ),
        inputs={"reason": entry.facts.get("reason"), "by_itself": entry.stamp is None},
    )
