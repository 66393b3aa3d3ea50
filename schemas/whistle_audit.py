"""What auditors ask of a whistle: by which rule it was gathered and scored."""

from collections.abc import Mapping

from schemas.kernel.case import Entry
from schemas.kernel.explanation import Because
from schemas.values.refusals import say
from schemas.whistle_policy import GatheringRule
from schemas.whistle_state import WhistleState

POLICY = "policies/whistle.yaml"


def why_summoned(entry: Entry, state: WhistleState) -> Because:
    """By which limits a department has to come."""
    limits = state.limits
    return Because(
        rule=f"{POLICY} terms.types.{state.type}",
        says=say(
            f"部门接到召集后 {limits.respond.chinese} 内响应,{limits.arrive.chinese} 内到场",
            f"a department responds within {limits.respond.english} and arrives within {limits.arrive.english}",
        ),
        inputs={
            "type": state.type,
            "departments": entry.facts.get("departments"),
            "lead": entry.facts.get("lead"),
            "reason": entry.facts.get("reason"),
        },
    )


def why_gathered(entry: Entry, state: WhistleState) -> Because:
    """By the gathering rule of the type, counted."""
    gathering, lead = state.limits.gathering, state.lead
    present, missing = list(entry.facts["present"]), list(entry.facts["missing"])
    counted = len(present) + len(missing)
    share = f"{len(present)} × 100 = {len(present) * 100}"
    wanted = f"{counted} × {gathering.quorum_percent} = {counted * gathering.quorum_percent}"
    enough = len(present) * 100 >= counted * gathering.quorum_percent
    lines = [say(f"应到 {counted},实到 {len(present)}", f"{len(present)} of {counted} have come")]
    if gathering.rule is GatheringRule.LEAD_AND_QUORUM:
        lines.append(f"{share} {'≥' if enough else '<'} {wanted}")
        came = lead in present
        lines.append(
            say(f"牵头 {lead} {'已到' if came else '未到'}", "the lead has come" if came else "the lead has not come")
        )
    lines.append(_OUTCOMES[str(entry.facts["outcome"])])
    return Because(
        rule=f"{POLICY} terms.types.{state.type}.gathering",
        says=_RULES[gathering.rule],
        inputs={
            "rule": gathering.rule,
            "quorum_percent": gathering.quorum_percent,
            "lead": lead,
            "present": present,
            "missing": missing,
            "released": [each.department for each in state.summoned if each.released],
        },
        arithmetic=tuple(lines),
    )


def why_scored(entry: Entry, state: WhistleState) -> Because:
    """Under which mark a score needs its reason."""
    department = str(entry.facts["department"])
    known = state.find(department)
    below = state.terms.reason_below
    return Because(
        rule=f"{POLICY} terms.reason_below",
        says=say(f"街道评分0-100,低于{below}须说明理由", f"the street scores 0-100; under {below} it says why"),
        inputs={
            "department": department,
            "score": entry.facts["score"],
            "reason": entry.facts.get("reason"),
            "stage": known.stage if known else None,
            "late": list(known.late) if known else [],
            "was_absent": known.was_absent if known else None,
        },
    )


def why_evaluated(entry: Entry, state: WhistleState) -> Because:  # noqa: ARG001 - the entry holds all scores
    """How the mean of the scores comes about."""
    scores: Mapping[str, int] = entry.facts["scores"]
    total, count = sum(scores.values()), len(scores)
    return Because(
        rule=say("各部门评分的平均,四舍五入", "the mean of the scores, rounded half up"),
        says=say("缺席与逾期单列,不改变平均分", "absence and lateness stand beside the mean and do not change it"),
        inputs={name: entry.facts.get(name) for name in ("scores", "late", "absent", "released")},
        arithmetic=(
            f"({' + '.join(map(str, scores.values()))}) / {count} = {total} / {count} ≈ {entry.facts['mean_score']}",
        ),
    )


_RULES = {
    GatheringRule.ALL: say("须全部到场", "all must arrive"),
    GatheringRule.LEAD_AND_QUORUM: say("牵头部门到场且达到规定比例", "the lead, and a quorum"),
}
_OUTCOMES = {
    "complete": say("全部到场", "all have come"),
    "quorum": say("达到规定比例", "the lead and a quorum have come"),
    "short": say("能到的均已到场,其余缺席", "whoever still could come has come; others stayed away"),
}
