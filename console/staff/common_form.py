"""One form for many cases: the commands that can be given to each of them now, and what may stand in the fields for all."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from console.forms.controls import Control
from console.forms.offers import command_controls
from console.forms.shapes import controls_of
from schemas.kernel.answers import AnswerTo
from schemas.kernel.case import CaseState
from schemas.kernel.procedure import Procedure
from schemas.values.actor import Actor
from starter.http.command_bodies import CommandBody
from starter.intake.command_forms import CommandForm, FormField, form_of
from starter.intake.filing import Filing


@dataclass(frozen=True)
class CommonCommand:
    """A command for all of them. `controls`: of its one form, without those that are left out of it."""

    form: CommandForm
    door: CommandBody
    controls: tuple[Control, ...]


def common_commands(filing: Filing, states: Sequence[CaseState], actor: Actor) -> list[CommonCommand]:
    """The commands that somebody can give to every one of these cases now, with one body; in the order of the first one's table."""
    now = filing.intake.now()
    legal = [
        filing.town.procedures[each.procedure].rules.legal(each, actor, now) if each.seq else () for each in states
    ]
    everywhere = [name for name in legal[0] if all(name in names for names in legal)]
    found = (common_command(filing, states, actor, name) for name in everywhere)
    return [each for each in found if each is not None]


def common_command(filing: Filing, states: Sequence[CaseState], actor: Actor, name: str) -> CommonCommand | None:
    """The command with one form for all of these cases; None: it cannot be given to all of them, or not by one form.

    Which commands are none for many: `for_many`.
    """
    procedures = [filing.town.procedures[each.procedure] for each in states]
    doors = [filing.town.doors[each.name].get(name) for each in procedures]
    door = doors[0]
    if door is None or any(each is None or each.model is not door.model for each in doors):
        return None
    if not all(for_many(procedure, name, door) for procedure in procedures):
        return None
    forms = [form_of(filing, each, actor, name) for each in states]
    if not all(form.possible for form in forms):
        return None
    fields = [_common_field(each) for each in zip(*(form.fields for form in forms), strict=True)]
    if any(each.required and each.choices == [] for each in fields):
        return None
    form = forms[0].model_copy(update={"fields": fields})
    return CommonCommand(form, door, without_files(command_controls(door, form)))


def for_many(procedure: Procedure, name: str, door: CommandBody) -> bool:
    """Whether a command can be given to many cases by one form at all.

    Not an answer to what somebody asked, for whoever gives it has looked at that one; not what moves money; not what needs a file.
    """
    moves_money = any(rule.moves_money for rule in procedure.rules if rule.command == name)
    needs_a_file = any(each.required and each.with_files() for each in controls_of(door.model, door.command, {}))
    return not moves_money and not issubclass(door.command, AnswerTo) and not needs_a_file


def without_files(controls: Iterable[Control]) -> tuple[Control, ...]:
    """The controls but those of files: a file belongs to one case."""
    return tuple(each for each in controls if not each.with_files())


def _common_field(fields: Sequence[FormField]) -> FormField:
    """What may stand in a field in all of the cases: what each of them offers, within the narrowest bounds."""
    lists = [each.choices for each in fields if each.choices is not None]
    choices = [one for one in lists[0] if all(one in others for others in lists)] if lists else None
    least = [each.at_least for each in fields if each.at_least is not None]
    most = [each.at_most for each in fields if each.at_most is not None]
    bounds = {
        "at_least": max(least, default=None),  # numbers or months, never both in one field
        "at_most": min(most, default=None),
    }
    return fields[0].model_copy(update={"choices": choices, **bounds})
