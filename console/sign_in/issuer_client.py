"""The console as a client of the town's issuer: what the settings say of it, judged when the process starts."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal
from urllib.parse import quote

from authlib.oauth2.auth import ClientAuth

from console.sign_in.issuer_document import IssuerDocument
from engine.keys.key_files import KeyFault, require_private
from engine.keys.token_keys import safe_address
from engine.runtime.settings import Settings

BACK = "/sign-in/back"
_FORM = {"Content-Type": "application/x-www-form-urlencoded"}


@dataclass(frozen=True)
class IssuerClient:
    """Who we are there. `issuer`: its address, as it stands in its tokens; `site`: where browsers reach our pages.

    `token`: in which of its tokens the issuer writes role, department and area.
    """

    issuer: str
    name: str
    secret: str | None = field(repr=False)
    scopes: str
    token: Literal["id_token", "access_token"]
    site: str

    @classmethod
    def of(cls, settings: Settings) -> "IssuerClient | None":
        """As the settings say; None: nobody signs in at an issuer. Raises KeyFault for settings by which nobody can."""
        if settings.sign_in_client is None:
            return None
        site = (settings.site_url or settings.api_url).rstrip("/")
        if settings.token_jwks is None or not safe_address(settings.token_issuer):
            raise KeyFault(
                "JICENG_SIGN_IN_CLIENT is set, so people sign in at an issuer: name it in JICENG_TOKEN_ISSUER (https://…), "
                "and where its keys are in JICENG_TOKEN_JWKS."
            )
        if not safe_address(site):
            raise KeyFault(
                "JICENG_SITE_URL is where browsers reach the pages: https://…, or http:// of this machine alone."
            )
        if "openid" not in settings.sign_in_scopes.split():
            raise KeyFault("JICENG_SIGN_IN_SCOPES lacks openid: without it the issuer gives no ID token.")
        return cls(
            issuer=settings.token_issuer,
            name=settings.sign_in_client,
            secret=None if settings.sign_in_secret_file is None else _read_secret(settings.sign_in_secret_file),
            scopes=settings.sign_in_scopes,
            token=settings.sign_in_token,
            site=site,
        )

    @property
    def back(self) -> str:
        """Where the issuer sends browsers back to: told there when the client is registered."""
        return f"{self.site}{BACK}"

    def signed(self, document: IssuerDocument, body: str) -> tuple[str, dict[str, str], bytes]:
        """A question to the issuer's token endpoint with the proof that it is ours: address, headers, form."""
        way = document.client_proof(with_secret=self.secret is not None)
        name, secret = self.name, self.secret or ""
        if way == "client_secret_basic":  # RFC 6749, 2.3.1: each half is written as in a form
            name, secret = quote(name, safe=""), quote(secret, safe="")
        url, headers, form = ClientAuth(name, secret, way).prepare("POST", document.token_endpoint, {**_FORM}, body)
        return str(url), dict(headers), str(form).encode()


def _read_secret(file: Path) -> str:
    """Raises KeyFault: missing, open to others, or blank."""
    require_private(file)
    secret = file.read_text(encoding="utf-8").strip()
    if not secret:
        raise KeyFault(f"{file} is blank: write the secret of the client JICENG_SIGN_IN_CLIENT into it.")
    return secret
