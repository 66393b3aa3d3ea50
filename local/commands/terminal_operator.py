"""The supervisor at a terminal who does something about what is stuck: known to the API before anything is done.

Commands of the terminal reach database and Temporal by themselves, so nothing there asks who somebody is. What they do is an
act of a person all the same: it stands in the case's ledger with a reason, as its supervisor's.
"""

import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import typer

from engine.runtime.operator_error import OperatorError
from engine.runtime.settings import Settings
from local.commands.terminal_caller import tokens_as
from local.simulation.townspeople import Persona
from schemas.values.actor import Role
from schemas.values.refusals import RefusalCode
from starter.client import Refused, TownClient, http_client
from starter.http.bodies import check_model
from starter.intake.noting import COMMENT, TEXT

USUAL = "supervisor-1"
PATIENCE_SECONDS = 10.0
SETTLE_SECONDS = 40.0
NEVER_THEIRS = frozenset({RefusalCode.NOT_YOUR_ROLE, RefusalCode.NOT_YOUR_CASE})


class NotTheirs(OperatorError):
    """Whoever works here may not do it; the message says why, and that nothing was done."""


class TerminalOperator:
    """A supervisor of the whole town, and their way to put reasons into cases."""

    def __init__(self, town: TownClient) -> None:
        self._town = town

    async def require_theirs(self, case_id: str) -> None:
        """Raises NotTheirs: they may not put a reason into this case; Unavailable: the town does not answer."""
        try:
            forms = await self._town.commands(case_id)
        except Refused as refused:
            raise _not_theirs(refused) from None
        for form in forms.commands:
            if form.command == "comment" and form.refusal in NEVER_THEIRS:
                raise NotTheirs(f"没有办理 nothing was done: {form.reason}")

    async def note(self, case_id: str, text: str) -> None:
        """Put a reason into a case's ledger, as theirs. Raises what TownClient.command does."""
        await self._town.command(case_id, "comment", {TEXT: text}, f"stuck:{uuid.uuid4()}", SETTLE_SECONDS)


@asynccontextmanager
async def operator(settings: Settings, subject: str | None, reason: str) -> AsyncIterator[TerminalOperator]:
    """Who works at this terminal, once the API has said that it is a supervisor of the whole town.

    `subject`: the account as whom, in a town that signs its own tokens. `reason`: what is to stand in the ledger.

    Raises:
        NoToken, KeyFault: there is nothing to show to the API.
        NotTheirs: the API refused whoever it is.
        Unavailable: the town does not answer, so nobody is known.
        typer.BadParameter: an account beside the token of an issuer, or a reason that no case takes.
    """
    if subject is not None and not settings.local_issuer:
        raise typer.BadParameter(
            "in this town the token in JICENG_API_TOKEN_FILE says as whom: leave it out", param_hint="--as"
        )
    _require_words(reason)
    token = tokens_as(settings, Persona(subject or USUAL, Role.SUPERVISOR))
    async with http_client() as http:
        town = TownClient(settings.api_url, token, http, PATIENCE_SECONDS)
        try:
            await town.operator()
        except Refused as refused:
            raise _not_theirs(refused) from None
        yield TerminalOperator(town)


def _require_words(reason: str) -> None:
    given: Any
    given, faults = check_model(COMMENT.model, {TEXT: reason})
    faults += COMMENT.faults(given) if given is not None else []
    if faults:
        raise typer.BadParameter("; ".join(each.reason for each in faults), param_hint="--reason")


def _not_theirs(refused: Refused) -> NotTheirs:
    return NotTheirs(f"没有办理 nothing was done: {refused.detail}")
