"""What auditors ask of a recovery: how what was paid too much adds up, and what is left of it."""

from schemas.kernel.case import Entry
from schemas.kernel.explanation import Because
from schemas.recovery_state import RecoveryState
from schemas.values.refusals import say


def why_demanded(entry: Entry, state: RecoveryState) -> Because:
    """What was paid too much, month by month."""
    total = sum(state.months.values())
    months = " + ".join(f"{month} {fen}" for month, fen in sorted(state.months.items()))
    return Because(
        rule=say("多领款项按月相加", "what was paid too much, month by month"),
        says=say("已付减应付,每月分别计算", "paid less due, of each month by itself"),
        inputs={"cause": state.cause, "benefit": state.benefit, "case": state.parent},
        arithmetic=(f"{months} = {total}",) if months else (f"{entry.facts.get('amount_fen')}",),
    )


def why_left(entry: Entry, state: RecoveryState) -> Because:
    """What was demanded, less what came back."""
    repaid = [part.amount_fen for part in state.repayments if part.at <= entry.at]
    left = state.amount_fen - sum(repaid)
    sums = " - ".join(str(fen) for fen in (state.amount_fen, *repaid))
    return Because(
        rule=say("应退减已退", "demanded less repaid"),
        says=say("余额为零即退款完毕;核销须两人", "over when nothing is left; two people give up the rest"),
        inputs={"repayments": repaid, "reason": entry.facts.get("reason")},
        arithmetic=(f"{sums} = {left}",),
    )
