"""What auditors ask of a welfare application: how an amount is reckoned, why it was refused, its limits under other rules.

An amount's entry holds its arithmetic (schemas/welfare_rules.py). Here it is reckoned once more from those numbers, by
formulas of its own, so that the record is not checked with the code that made it.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from schemas.clocks.clocks import Limit
from schemas.kernel.case import Entry
from schemas.kernel.explanation import Because
from schemas.values.money import yuan
from schemas.values.refusals import say
from schemas.welfare_policy import ByAge, ByDisability, WelfarePolicy
from schemas.welfare_state import WelfareState

POLICY = "policies/welfare.yaml"
_DUTIES = (
    "accept", "correct", "survey", "review", "investigate", "confirm", "countersign", "whole", "refusal_notice",
    "decide_appeal",
)  # fmt: skip
_OF_CHANGES = (
    "review_change", "confirm_change", "confirm_account", "tell_payee", "confirm_settlement", "confirm_end", "identify",
    "consent",
)  # fmt: skip
_CHECK = "check:"


def limits_under(state: WelfareState, policy: WelfarePolicy) -> Mapping[str, Limit]:
    """The limits of the clocks that are somebody's duty; of payments none, for their time is a date and no limit."""
    limits: dict[str, Limit] = {name: getattr(policy.terms, name) for name in _DUTIES}
    limits |= {name: policy.terms.check for name in state.clocks if name.startswith(_CHECK)}
    of_changes = {name: getattr(policy.terms, name) for name in _OF_CHANGES}
    of_changes["countersign_change"] = policy.terms.countersign
    limits |= {name: limit for name, limit in of_changes.items() if name in state.clocks}
    benefit = policy.benefits.get(state.benefit)
    if benefit is not None:
        limits["reassess"] = benefit.reassess if state.income_stable else benefit.reassess_unstable
    return limits


def why_amount(entry: Entry, state: WelfareState) -> Because:
    """How an amount is reckoned, once more."""
    sums: Mapping[str, Any] = entry.facts["arithmetic"]
    recorded = int(entry.facts["amount_fen"])
    lines, again = reckoned(sums, state)
    agrees = say("与记录一致", "as recorded") if again == recorded else say("与记录不符", f"the record says {recorded}")
    place = "pay_first_fen" if sums["rule"] == "pay_first" else "amount"
    return Because(
        rule=f"{POLICY} benefits.{state.benefit}.{place}: {sums['rule']}",
        says=_RULES.get(str(sums["rule"]), str(sums["rule"])),
        legal_basis=state.rules.legal_basis,
        inputs={"benefit": state.benefit, **sums, "cause": entry.facts.get("cause"), "month": entry.facts.get("month")},
        arithmetic=(
            *lines,
            say(f"{again} 分 = {yuan(again)} 元,{agrees}", f"{again} fen"),
            *_signatures(entry, state, recorded),
            *_change(entry, recorded),
        ),
    )


def reckoned(sums: Mapping[str, Any], state: WelfareState) -> tuple[tuple[str, ...], int]:
    """An amount once more from the numbers of its entry: line by line, and what comes out, in fen."""
    match sums["rule"]:
        case "shortfall":
            income = max(int(sums["stated_income_fen"]), int(sums["found_income_fen"]))
            heads, standard = int(sums["heads"]), int(sums["standard_fen"])
            per_head = income // heads
            amount = max(0, standard - per_head) * heads
            return (
                say(
                    f"家庭月收入:申报 {sums['stated_income_fen']},核对 {sums['found_income_fen']},取高 {income}",
                    "income: stated, found, the higher",
                ),
                say(f"人均收入 {income} ÷ {heads} = {per_head}", "per head, the odd fen left to the household"),
                say(
                    f"(标准 {standard} - {per_head}) × {heads} = {amount}",
                    "standard less income, for each head; never below 0",
                ),
            ), amount
        case "arrears":
            months = {name: int(fen) for name, fen in sums.items() if name != "rule"}
            total = sum(months.values())
            return (" + ".join(f"{month} {fen}" for month, fen in sorted(months.items())) + f" = {total}",), total
        case "per_head" | "pay_first":
            each, heads = int(sums["each_fen"]), int(sums["heads"])
            return (f"{each} × {heads} = {each * heads}",), each * heads
        case _:
            band = sums.get("band")
            rule = state.rules.amount
            bands = {each.at: each.amount_fen for each in rule.bands} if isinstance(rule, ByAge | ByDisability) else {}
            amount = bands.get(band, 0) if band is not None else 0
            by = "age" if "age" in sums else "level"
            table = ", ".join(f"{at}: {fen}" for at, fen in bands.items())
            return (
                say(f"档次 {table}", "bands, in fen"),
                say(
                    f"{'年龄' if by == 'age' else '残疾等级'} {sums[by]} → 档 {band} → {amount}",
                    f"{by} {sums[by]}, band {band}",
                ),
            ), amount


def _signatures(entry: Entry, state: WelfareState, amount: int) -> Iterator[str]:
    if "second_signature" in entry.facts:
        above = state.rules.second_signature_above_fen
        yield say(
            f"双签界限 {above}: {amount} {'>' if amount > above else '≤'} {above}",
            "a second person signs too" if entry.facts["second_signature"] else "one signature is enough",
        )


def _change(entry: Entry, amount: int) -> Iterator[str]:
    if "before_fen" in entry.facts and entry.facts["arithmetic"]["rule"] != "arrears":
        before = int(entry.facts["before_fen"])
        yield say(f"原为 {before},变动 {amount - before:+d}", "what it was before, and the difference")


def why_refused(entry: Entry, state: WelfareState) -> Because:
    """By which law, and what the household lacks."""
    against = state.obstacles(entry.at)
    return Because(
        rule=f"{POLICY} benefits.{state.benefit}",
        says=say(
            "不予确认须说明理由和依据,三个工作日内书面告知",
            "with reason and legal basis, told in writing within its limit",
        ),
        legal_basis=entry.facts.get("legal_basis") or state.rules.legal_basis,
        inputs={"at": entry.facts.get("at"), "reason": entry.facts.get("reason")},
        arithmetic=tuple(
            say(f"{each.code}: 查得 {each.found},限 {each.allowed}", "found, allowed") for each in against
        ),
    )


def why_extended(entry: Entry, state: WelfareState) -> Because:
    """How many days in all, of how many."""
    added, altogether = int(entry.facts["working_days"]), int(entry.facts["in_all"])
    most = state.terms.extension_working_days_at_most
    return Because(
        rule=f"{POLICY} terms.extension_working_days_at_most",
        says=say(f"累计至多延{most}个工作日", f"at most {most} working days in all"),
        inputs={"reason": entry.facts.get("reason")},
        arithmetic=(f"{altogether - added} + {added} = {altogether} ≤ {most}",),
    )


def why_appeal_decided(entry: Entry, state: WelfareState) -> Because:
    """What an appeal comes to, and by which law."""
    return Because(
        rule=say("社会救助权限表:申诉决定", "the table of welfare: decide_appeal"),
        says=say("由未作出原决定的人员决定", "by somebody who did not refuse it"),
        legal_basis=entry.facts.get("legal_basis"),
        inputs={
            "outcome": entry.facts.get("outcome"),
            "reason": entry.facts.get("reason"),
            "refused_by": list(state.refusers),
            "decided_by": entry.actor.subject,
        },
    )


_RULES = {
    "shortfall": say("差额救助:标准减人均收入,按人计", "standard less income per head, for each head"),
    "per_head": say("按人计发", "so much for each head"),
    "by_age": say("按年龄档次", "by the highest band that the age has reached"),
    "by_disability": say("按残疾等级", "by the level of the disability"),
    "arrears": say("补发:停发各月应发金额之和", "the months that were left out, each by what was due in it"),
    "pay_first": say("急难先行发放,按人计", "urgent aid: so much for each head before anything is checked"),
}
