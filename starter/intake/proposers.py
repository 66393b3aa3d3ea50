"""Who says what a model proposed for a case: a procedure says so by an `EXPLAIN_PROPOSALS` in a module of its own."""

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass

from engine.keys.tokens import Principal
from schemas.advice.proposals import Proposal, Proposed
from schemas.values.model import Model
from starter.http.own_modules import own_modules
from starter.intake.filing import Filing


class ProposalShown(Proposal):
    """A proposal with the words of the text that spoke for it, the strongest first; none for who may not read the text."""

    words: tuple[str, ...] = ()


class ProposalsShown(Model):
    """What a model proposes. `model`: its digest, `version` its number. `takes_above_permille`: the town's threshold."""

    model: str
    version: int
    takes_above_permille: int
    first: tuple[ProposalShown, ...]


class ProposalsExplained(Model):
    """What was proposed for a case when it was reported, and the same found anew from its text by the very same model.

    `recorded`: as it stands in the case; None: no model was asked then, and `now` is what today's model says. `now` None: there
    is no model, or the text was erased. `reproduced`: whether the model says what is on record; None: one of them is not there.
    """

    case_id: str
    recorded: Proposed | None
    now: ProposalsShown | None
    reproduced: bool | None


ExplainProposals = Callable[[str, Principal, Filing], Awaitable[ProposalsExplained]]
"""(case number, caller, filing): what was proposed. Raises Problem: no such case, or not for this caller."""


@dataclass(frozen=True)
class Proposers:
    """Every one of the town, by procedure."""

    by_procedure: dict[str, ExplainProposals]


def proposers(procedures: Iterable[str]) -> Proposers:
    """Those of these procedures."""
    found: dict[str, ExplainProposals] = {}
    for name in procedures:
        for module in own_modules([name]):
            if hasattr(module, "EXPLAIN_PROPOSALS"):
                found[name] = module.EXPLAIN_PROPOSALS
    return Proposers(found)
