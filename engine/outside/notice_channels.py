"""Channels of notices besides the town's own screens: addresses of apprise, each a secret in a file of its own."""

import logging
import warnings
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path

from engine.keys.key_files import KeyFileBroken, require_private

TITLE = "基层 Jiceng"
SENDER = "Jiceng"
"""Stands in the User-Agent header of a call, where only Latin letters can."""


def read_channels(files: Mapping[str, str], folder: Path) -> dict[str, Callable[[str], Awaitable[bool]]]:
    """The channels by name; `files` names the file of each in `folder`. Raises KeyFault (missing, exposed, no address)."""
    # What apprise says of a failure quotes the address.
    logging.getLogger("apprise").setLevel(logging.CRITICAL + 1)
    return {channel: _channel(folder / file) for channel, file in files.items()}


def _channel(file: Path) -> Callable[[str], Awaitable[bool]]:
    from apprise import Apprise, AppriseAsset  # noqa: PLC0415 - a fifth of a second, and few processes have channels

    require_private(file)
    target = Apprise(asset=AppriseAsset(app_id=SENDER, app_desc=SENDER, secure_logging=True))
    with warnings.catch_warnings():
        # It loads all its plugins now, some of which use what Python will drop: not ours to mend.
        warnings.simplefilter("ignore", DeprecationWarning)
        known = target.add(file.read_text(encoding="utf-8").strip())
    if not known:
        raise KeyFileBroken(file, "not one address that apprise knows")

    async def send(text: str) -> bool:
        return bool(await target.async_notify(body=text, title=TITLE))

    return send
