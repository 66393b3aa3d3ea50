"""What an issuer says of itself (OpenID Connect Discovery 1.0), as far as signing in needs it."""

from typing import Annotated, Literal

import httpx
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from engine.keys.token_keys import safe_address

ClientProof = Literal["client_secret_basic", "client_secret_post", "none"]


class IssuerOdd(ValueError):
    """The issuer says something of itself by which nobody can sign in. Its text names the field, for the log."""


def _safe(address: str) -> str:
    if not safe_address(address):
        raise ValueError("neither https nor this machine")
    return address


SafeAddress = Annotated[str, Field(max_length=2000), AfterValidator(_safe)]


class IssuerDocument(BaseModel):
    """Addresses, and what the issuer can do. Fields that we do not ask for may stand beside."""

    model_config = ConfigDict(frozen=True)

    issuer: str
    authorization_endpoint: SafeAddress
    token_endpoint: SafeAddress
    end_session_endpoint: SafeAddress | None = None
    response_types_supported: list[str] = ["code"]
    code_challenge_methods_supported: list[str] = ["S256"]
    token_endpoint_auth_methods_supported: list[str] = ["client_secret_basic"]
    authorization_response_iss_parameter_supported: bool = False

    def client_proof(self, *, with_secret: bool) -> ClientProof:
        """How our client proves itself: the first way that we have and the issuer takes."""
        if not with_secret:
            return "none"
        posts = "client_secret_basic" not in self.token_endpoint_auth_methods_supported
        return "client_secret_post" if posts else "client_secret_basic"


def read_document(address: str, status: int, body: bytes) -> IssuerDocument:
    """Read what the issuer at `address` answered. Raises IssuerOdd."""
    if status != httpx.codes.OK:
        raise IssuerOdd(f"status {status}")
    try:
        document = IssuerDocument.model_validate_json(body)
    except ValidationError as error:
        raise IssuerOdd(" ".join(".".join(map(str, each["loc"])) for each in error.errors())[:200] or "JSON") from None
    if document.issuer != address:
        raise IssuerOdd("issuer")  # one that speaks for another
    if "code" not in document.response_types_supported:
        raise IssuerOdd("response_types_supported")
    if "S256" not in document.code_challenge_methods_supported:
        raise IssuerOdd("code_challenge_methods_supported")
    return document
