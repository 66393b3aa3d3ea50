"""Explanations that are nothing but a rule of the policy."""

from typing import Any

from schemas.clocks.limits import Limit
from schemas.kernel.case import Entry
from schemas.kernel.explanation import Because, Explain
from schemas.kernel.timers import value_at
from schemas.values.refusals import say


def by_policy(procedure: str, path: str, zh: str, en: str) -> Explain:
    """Why an entry is as it is: `{limit}` in the words is what stands at that path of the terms of policies/PROCEDURE.yaml."""

    def because(entry: Entry, state: Any) -> Because:
        value = value_at(state.terms, path, state)
        chinese, english = (value.chinese, value.english) if isinstance(value, Limit) else (value, value)
        return Because(
            rule=f"policies/{procedure}.yaml terms.{path}",
            says=say(zh.format(limit=chinese), en.format(limit=english)),
            inputs={"by_itself": entry.stamp is None},
        )

    return because


def nobody_acted(procedure: str) -> Explain:
    """Why a case ended unresolved: the final limit of policies/PROCEDURE.yaml was over, which begins with the last tier."""
    return by_policy(
        procedure, "unresolved_after", "末级上报后{limit}无人办理", "nobody acted within {limit} of the last tier"
    )
