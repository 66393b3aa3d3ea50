"""As whom a command of the terminal calls the API: an account of the town's own making, or whom its issuer says."""

from collections.abc import Callable
from pathlib import Path

from engine.keys.keys import Keys
from engine.runtime.operator_error import OperatorError
from engine.runtime.settings import Settings
from local.simulation.simulation import tokens
from local.simulation.townspeople import Persona


class NoToken(OperatorError):
    """There is no token with which to call the API of a town that believes its own issuer."""


def tokens_as(settings: Settings, account: Persona) -> Callable[[], str]:
    """What gives a token that is valid now, whenever it is asked.

    Where the town signs its own tokens, one of `account`. Elsewhere the one that the issuer gave whoever works at this
    terminal, read again each time: a long import outlives a token.

    Raises:
        NoToken: nobody gave one. What is returned raises it too, where the file is not to be read any more.
        KeyFault: the town's own keys are not to be read.
    """
    if settings.local_issuer:
        token_for = tokens(settings, Keys.of(settings))
        return lambda: token_for(account)
    file = settings.api_token_file
    if file is None:
        raise NoToken(
            f"This town believes the tokens of its own issuer ({settings.token_issuer}). Get one there for the account that is "
            f"to do this, as {account.role}; write it into a file that only you can read, and name that in JICENG_API_TOKEN_FILE."
        )
    _read(file)
    return lambda: _read(file)


def _read(file: Path) -> str:
    try:
        token = file.read_text(encoding="ascii").strip()
    except (OSError, UnicodeError) as error:
        raise NoToken(f"The token in {file} (JICENG_API_TOKEN_FILE) cannot be read: {type(error).__name__}.") from None
    if not token:
        raise NoToken(f"{file} (JICENG_API_TOKEN_FILE) is empty: write a token of the town's issuer into it.")
    return token
