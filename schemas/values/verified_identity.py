"""实名认证: what an issuer of tokens has verified of whoever has an account, so that an account is somebody's.

A token carries a digest and never the number: what it is compared with was stated in the application, and nothing else can be
made of it without guessing numbers. Whoever has the token can guess; so has whoever it is of.
"""

import hashlib

from schemas.values.identity_document import CardIdentity


def verified_identity(identity: CardIdentity) -> str | None:
    """What a token has to carry so that its account is this person's: SHA-256, hex. None: nobody can verify it yet."""
    if identity.number is None:
        return None
    return hashlib.sha256(f"jiceng identity 1 {identity.kind.value} {identity.number}".encode()).hexdigest()
