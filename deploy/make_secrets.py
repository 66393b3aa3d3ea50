"""Make the secrets of a production town, once: `python deploy/make_secrets.py FOLDER [NAMESPACE]`. What exists is never replaced.

    temporal_database_password, jiceng_database_password
    temporal-signing-key.pem      signs tokens for Temporal; keep it apart, no container needs it
    temporal-jwks/jwks.json       its public part, which Temporal fetches
    temporal_token_setup, temporal-token-worker/token, temporal-token-api/token   tokens for Temporal, good for a year

The last two lie in folders of their own: a container sees a file that takes the place of another only where its folder is mounted.

`--renew` makes the tokens anew, or those that are named after it (`--renew worker api`), with the signing key in its place. A new
file takes the place of the old one at one stroke. Without that very key nothing is written: Temporal believes no token of another.

NAMESPACE is `jiceng` unless a second town is to live on the same Temporal: each has secrets, and tokens, of its own.
Temporal's own claim mapper takes RS256 and ES256, not our Ed25519; a permission is `namespace:role`. Its authorizer asks `write` of
whoever starts cases, and of whoever answers their tasks, ends or deletes them: the tokens of API and worker are the same right.
There are two so that each can be renewed, and told apart in Temporal's logs, by itself.
"""  # noqa: INP001 - a script of the deployment

import argparse
import json
import secrets
import sys
from collections.abc import Collection
from datetime import UTC, datetime, timedelta
from pathlib import Path

import jwt
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from jwt.algorithms import ECAlgorithm

KEY_ID = "temporal-1"
LIFETIME = timedelta(days=366)
NAMESPACE = "jiceng"
SETUP = ["temporal-system:admin"]
IN_ITS_NAMESPACE = ("write", "read")


TOKENS = {"setup": "temporal_token_setup", "worker": "temporal-token-worker/token", "api": "temporal-token-api/token"}
"""Where each lies in the folder."""


def main(folder: Path, namespace: str = NAMESPACE, renewed: Collection[str] = ()) -> None:
    """Make what is missing, and the tokens of `renewed` anew.

    The folder is for its owner only; the files in it are read by users inside containers. Raises SystemExit: nothing was written.
    """
    public, private = folder / "temporal-jwks" / "jwks.json", folder / "temporal-signing-key.pem"
    key = _signing_key(private, public)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    for name in ("temporal", "jiceng"):
        _once(folder / f"{name}_database_password", secrets.token_urlsafe(32))
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    _once(private, pem.decode(), mode=0o600)
    jwks = {"keys": [_public(key) | {"kid": KEY_ID, "use": "sig", "alg": "ES256"}]}
    _once(public, json.dumps(jwks, indent=1))
    ours = [f"{namespace}:{role}" for role in IN_ITS_NAMESPACE]
    for name, place in TOKENS.items():
        now = datetime.now(UTC)
        permissions = SETUP if name == "setup" else ours
        claims = {"sub": f"jiceng-{name}", "permissions": permissions, "iat": now, "exp": now + LIFETIME}
        token = jwt.encode(claims, key, algorithm="ES256", headers={"kid": KEY_ID})
        (_written if name in renewed else _once)(folder / place, token)
        sys.stdout.write(f"{place} ends on {_end_of(folder / place):%Y-%m-%d}\n")


def _end_of(file: Path) -> datetime:
    claims = jwt.decode(file.read_text(encoding="utf-8"), options={"verify_signature": False})
    return datetime.fromtimestamp(claims["exp"], UTC)


def _signing_key(private: Path, public: Path) -> ec.EllipticCurvePrivateKey:
    """The one whose public part Temporal has; a new one where Temporal has none yet."""
    if not private.exists():
        if public.exists():
            sys.exit(
                f"{private} is not there, and Temporal believes the key of {public}: put the signing key back from where you "
                "keep it, and run this again. Nothing was written."
            )
        return ec.generate_private_key(ec.SECP256R1())
    try:
        key = load_pem_private_key(private.read_bytes(), None)
    except (TypeError, ValueError):
        key = None
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        sys.exit(f"{private} is not an EC key: put the signing key there, and run this again. Nothing was written.")
    if public.exists() and not _believed(key, public):
        sys.exit(
            f"{private} is not the key of {public}, which Temporal believes: put that one there, and run this again. "
            "Nothing was written."
        )
    return key


def _believed(key: ec.EllipticCurvePrivateKey, public: Path) -> bool:
    ours = _public(key)
    return any(ours.items() <= each.items() for each in json.loads(public.read_text(encoding="utf-8"))["keys"])


def _public(key: ec.EllipticCurvePrivateKey) -> dict[str, str]:
    return dict(json.loads(ECAlgorithm.to_jwk(key.public_key())))


def _once(file: Path, text: str, mode: int = 0o444) -> None:
    if not file.exists():
        _written(file, text, mode)


def _written(file: Path, text: str, mode: int = 0o444) -> None:
    """Beside it, and then in its place: who reads it meanwhile reads the old one or the new one, whole."""
    if not file.parent.exists():
        file.parent.mkdir()
        file.parent.chmod(0o755)  # a user inside a container has to get in, whatever our umask is
    new = file.with_name(f".{file.name}.new")
    new.unlink(missing_ok=True)
    new.touch(mode=0o600)
    new.write_text(text, encoding="utf-8")
    new.chmod(mode)
    new.replace(file)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description="Make the secrets of a production town; what exists is never replaced."
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("namespace", nargs="?", default=NAMESPACE)
    parser.add_argument(
        "--renew", nargs="*", choices=[*TOKENS], help="tokens to be made anew; without a name all of them"
    )
    given = parser.parse_args()
    main(given.folder, given.namespace, [*TOKENS] if given.renew == [] else given.renew or ())
