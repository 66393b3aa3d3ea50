"""What a form offers: for a command what the case says just now, for an opening what the town has lists of."""

from collections.abc import Sequence
from typing import Any

from console.forms.controls import Choice, Control, Offered
from console.forms.shapes import controls_of
from schemas.kernel.answers import AnswerTo
from schemas.values.actor import FOR_THEMSELVES, Actor
from schemas.values.area import around, inside
from schemas.values.areas import AreaName
from starter.http.command_bodies import CommandBody
from starter.intake.choices import Names
from starter.intake.command_forms import CommandForm
from starter.intake.filing import Filing
from starter.intake.starts import Opening

CHANNEL = "channel"
ON_BEHALF_OF = "on_behalf_of"


def command_controls(door: CommandBody, form: CommandForm) -> tuple[Control, ...]:
    """The controls of a command, as its form of the API has it; the number of what was seen goes along unseen."""
    offered = {
        each.name: Offered(
            None if each.choices is None else tuple(Choice(one.value, one.zh, one.en) for one in each.choices),
            each.at_least,
            each.at_most,
        )
        for each in form.fields
    }
    return controls_of(door.model, door.command, offered)


def seen_number(door: CommandBody) -> str | None:
    """The field of an answer that names what it answers; None: the command answers nothing."""
    return door.command.number_in if issubclass(door.command, AnswerTo) else None


def opening_controls(filing: Filing, opening: Opening[Any], actor: Actor) -> tuple[Control, ...]:
    """The controls of an opening. By which way it came in nobody has to say: that follows from who enters it."""
    declared = opening.declared
    hidden = {CHANNEL, *declared.unasked} | ({ON_BEHALF_OF} if actor.role in FOR_THEMSELVES else set())
    offered = dict.fromkeys(declared.areas, Offered(area_choices(filing, actor))) | {
        _place(place): Offered(_named(codes, filing.town.names)) for place, codes in opening.choices(filing).items()
    }
    if declared.by_words is not None:
        offered[declared.by_words] = Offered(suggested=filing.town.policies[opening.procedure].searched())
    return controls_of(opening.model, opening.model, offered, frozenset(hidden))


def area_choices(filing: Filing, actor: Actor) -> tuple[Choice, ...]:
    """The areas that somebody may name: those of the town, or those inside of their own; each by all that it lies in."""
    names = filing.town.areas.names
    chosen = (code for code in names if actor.area is None or inside(code, actor.area))
    return tuple(_area(code, [names[each] for each in around(code) if each in names]) for code in chosen)


def _area(code: str, names: Sequence[AreaName]) -> Choice:
    return Choice(code, " ".join(each.zh for each in names), names[-1].en)


def _named(codes: Sequence[str], names: Names) -> tuple[Choice, ...]:
    return tuple(
        Choice(code, names[code].zh, names[code].en) if code in names else Choice(code, code, code) for code in codes
    )


def _place(place: str) -> str:
    """Where choices of each of a list stand: at the list itself, if it is one of codes."""
    return place.removesuffix(".*")
