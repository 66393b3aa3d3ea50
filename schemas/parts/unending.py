"""再次上报: where silence ends nothing, everybody is called again after the last tier, and again, until somebody acts.

Source: services.md (care, alarm, warning): silence never resolves it. A procedure puts `unending_line()` into its table, gives its
clock `final` a limit that recurs, its state `UnendingState` and its workflow `Unending` (workflows/parts/unending.py).
"""

from collections.abc import Sequence

from schemas.kernel.acts import Stages, Step, Tells, step
from schemas.kernel.because import by_policy
from schemas.kernel.entries import EntryKind
from schemas.kernel.explanation import Explain
from schemas.kernel.parties import SUPERVISOR, desk_of
from schemas.kernel.state import DeclaredState

FINAL = "final"
"""The clock that begins with the last tier."""


class UnendingState(DeclaredState):
    """A case that no silence ends. `rounds`: how often everybody was called again."""

    rounds: int = 0


def nobody_acted_again(policy: str, path: str = "again_after") -> Explain:
    """Why everybody is called again: the limit at `path` of policies/POLICY.yaml was over once more."""
    return by_policy(
        policy,
        path,
        "末级上报后仍无人办理,每{limit}再次上报",
        "nobody acted after the last tier: everybody is called again every {limit}",
    )


def nobody_helped_again(policy: str, path: str = "again_after") -> Explain:
    """The same, where somebody waits for help."""
    return by_policy(
        policy, path, "末级上报后仍无人处置,每{limit}再次上报", "nobody helped: everybody is called again every {limit}"
    )


def unending_line(entry: EntryKind, template: str, *, at: Stages, facts: Sequence[str] = ()) -> Step:
    """The line by which everybody is called again, the supervisor first. `template`: what all are told, with these facts."""
    tells = Tells(desk_of(SUPERVISOR), template, tuple(facts))
    return step("call_everybody_again", "再次上报", at=at, entry=entry, clock=FINAL, tells=tells)
