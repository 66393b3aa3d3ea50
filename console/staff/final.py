"""What is looked at once more before it is sent: read off the table, not written down for a command."""

from schemas.kernel.procedure import Procedure


def is_final(procedure: Procedure, stage: str, command: str) -> bool:
    """Whether a command, given at a stage, may end the case for good or moves money."""
    here = [rule for rule in procedure.rules if rule.command == command and stage in rule.at]
    return any(rule.moves_money or not procedure.rules.open_stages.issuperset(rule.to) for rule in here)
