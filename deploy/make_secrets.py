"""Make the secrets of a production town, once: `python deploy/make_secrets.py FOLDER [NAMESPACE]`. What exists is never replaced.

    temporal_database_password, jiceng_database_password
    temporal-signing-key.pem      signs tokens for Temporal; keep it apart, no container needs it
    temporal-jwks/jwks.json       its public part, which Temporal fetches
    temporal_token_{setup,worker,api}   tokens for Temporal, good for a year; delete one and run this again to renew it

NAMESPACE is `jiceng` unless a second town is to live on the same Temporal: each has secrets, and tokens, of its own.
Temporal's own claim mapper takes RS256 and ES256, not our Ed25519; a permission is `namespace:role`. Its authorizer asks `write` of
whoever starts cases, and of whoever answers their tasks, ends or deletes them: the tokens of API and worker are the same right.
There are two so that each can be renewed, and told apart in Temporal's logs, by itself.
"""  # noqa: INP001 - a script of the deployment

import json
import secrets
import sys
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


def main(folder: Path, namespace: str = NAMESPACE) -> None:
    """Make what is missing. The folder is for its owner only; the files in it are read by users inside containers."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    for name in ("temporal", "jiceng"):
        _once(folder / f"{name}_database_password", secrets.token_urlsafe(32))
    key = _signing_key(folder / "temporal-signing-key.pem")
    public = json.loads(ECAlgorithm.to_jwk(key.public_key()))
    (folder / "temporal-jwks").mkdir(exist_ok=True)
    jwks = {"keys": [public | {"kid": KEY_ID, "use": "sig", "alg": "ES256"}]}
    _once(folder / "temporal-jwks" / "jwks.json", json.dumps(jwks, indent=1))
    ours = [f"{namespace}:{role}" for role in IN_ITS_NAMESPACE]
    for name, permissions in (("setup", SETUP), ("worker", ours), ("api", ours)):
        now = datetime.now(UTC)
        claims = {"sub": f"jiceng-{name}", "permissions": permissions, "iat": now, "exp": now + LIFETIME}
        _once(folder / f"temporal_token_{name}", jwt.encode(claims, key, algorithm="ES256", headers={"kid": KEY_ID}))


def _signing_key(file: Path) -> ec.EllipticCurvePrivateKey:
    new = ec.generate_private_key(ec.SECP256R1())
    pem = new.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    _once(file, pem.decode(), mode=0o600)
    key = load_pem_private_key(file.read_bytes(), None)
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        sys.exit(f"{file} is not an EC key: take it away, and run this again.")
    return key


def _once(file: Path, text: str, mode: int = 0o444) -> None:
    if not file.exists():
        file.touch(mode=0o600)
        file.write_text(text, encoding="utf-8")
        file.chmod(mode)


if __name__ == "__main__":
    if len(sys.argv) not in {2, 3}:
        sys.exit("usage: python deploy/make_secrets.py FOLDER [NAMESPACE]")
    main(Path(sys.argv[1]), *sys.argv[2:])
