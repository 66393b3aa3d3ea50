"""Who somebody was, as auditors read it: the account itself, with role and department in words."""

from console.staff.rows import town_word
from schemas.kernel.screen_words import role_words
from schemas.values.actor import Role
from schemas.values.both import together
from starter.intake.town_rules import TownRules


def who_in_words(town: TownRules, subject: str, role: str, department: str | None, channel: str | None = None) -> str:
    """`部门经办人 城管局 officer-1 (app)`; the system has no channel."""
    parts = [role_words(role), town_word(town, department) if department else "", subject]
    came_by = f"({channel})" if channel and role != Role.ENGINE else ""
    return together(" ", (each for each in (*parts, came_by) if each))
