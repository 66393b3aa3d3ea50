"""The token of whoever watches the town: /metrics, and what is missing at /readyz, are for them and for no stranger."""

import hmac
import os
import secrets
from pathlib import Path

from engine.runtime.settings import Settings


def metrics_token_file(settings: Settings) -> Path:
    """Where it lies: in the data folder, unless a setting says otherwise."""
    return settings.metrics_token_file or settings.data / "metrics-token"


def ensure_metrics_token(settings: Settings) -> None:
    """Make the token of a town that has none, for its owner alone."""
    file = metrics_token_file(settings)
    if file.exists():
        return
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as written:
        written.write(secrets.token_urlsafe(32) + "\n")


def watches(settings: Settings, authorization: str | None) -> bool:
    """Whether a header names the token. Without a file nobody does: what is not set up is closed."""
    scheme, _, given = (authorization or "").strip().partition(" ")
    try:
        token = metrics_token_file(settings).read_text(encoding="utf-8").strip()
    except OSError:
        return False
    return scheme.lower() == "bearer" and bool(token) and hmac.compare_digest(given.strip().encode(), token.encode())
