"""Blind RSA signatures by RFC 9474, variant RSABSSA-SHA384-PSS-Deterministic: what is signed is random already (a serial).

    voter  blind(key, serial)                 -> what the box may see, and what only the voter knows
    box    blind_sign(private, blinded)       -> signed without knowing what
    voter  finalize(key, serial, ...)         -> an ordinary RSASSA-PSS signature that nobody can join with what the box saw
    box    verified(key, serial, signature)   -> when the vote is cast

The published library for Python is none that is kept, so blinding is written here on whole numbers; keys and the verification of
signatures are those of `cryptography`. Python's powers take a time that depends on the number: so the box blinds once more before
it signs, and checks what it has signed (RFC 9474, 4.3 and 8.1).
"""

import hashlib
import secrets
from dataclasses import dataclass
from math import gcd

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

KEY_BITS = 3072
PUBLIC_EXPONENT = 65537
SALT_BYTES = 48
_HASH_BYTES = 48


class BlindingFault(ValueError):
    """What came does not fit the key."""


@dataclass(frozen=True)
class Blinded:
    """What a voter keeps (`inverse`) and what the box is shown (`message`); both of the key's length."""

    message: bytes
    inverse: bytes


def new_key(bits: int = KEY_BITS) -> rsa.RSAPrivateKey:
    """A key for one vote alone: whatever it signed is a ballot of that vote."""
    return rsa.generate_private_key(public_exponent=PUBLIC_EXPONENT, key_size=bits)


def blind(key: rsa.RSAPublicKey, message: bytes, *, salt: bytes | None = None, inverse: int | None = None) -> Blinded:
    """Blind a message (RFC 9474, 4.2). `salt` and `inverse` are drawn; only the vectors of the RFC say which.

    Raises BlindingFault: by an accident that does not happen, the message shares a factor with the key.
    """
    numbers = key.public_numbers()
    modulus, exponent = numbers.n, numbers.e
    encoded = int.from_bytes(encode_pss(message, modulus.bit_length() - 1, salt or secrets.token_bytes(SALT_BYTES)))
    if gcd(encoded, modulus) != 1:
        raise BlindingFault("the message is not coprime to the key")
    if inverse is None:
        factor = _coprime(modulus)
        inverse = pow(factor, -1, modulus)
    else:
        factor = pow(inverse, -1, modulus)
    length = _length(modulus)
    hidden = encoded * pow(factor, exponent, modulus) % modulus
    return Blinded(hidden.to_bytes(length), inverse.to_bytes(length))


def blind_sign(key: rsa.RSAPrivateKey, blinded: bytes) -> bytes:
    """Sign what cannot be read (RFC 9474, 4.3). Raises BlindingFault: it has not the length of the key, or is too large."""
    private = key.private_numbers()
    modulus, exponent = private.public_numbers.n, private.public_numbers.e
    hidden = int.from_bytes(blinded)
    if len(blinded) != _length(modulus) or not 0 < hidden < modulus:
        raise BlindingFault("the blinded message does not fit the key")
    mask = _coprime(modulus)
    masked = hidden * pow(mask, exponent, modulus) % modulus
    signed = _private_power(private, masked) * pow(mask, -1, modulus) % modulus
    if pow(signed, exponent, modulus) != hidden:
        raise BlindingFault("the signature came out wrong")
    return signed.to_bytes(_length(modulus))


def finalize(key: rsa.RSAPublicKey, message: bytes, blind_signature: bytes, inverse: bytes) -> bytes:
    """The signature of the message itself (RFC 9474, 4.4). Raises BlindingFault: it is none."""
    modulus = key.public_numbers().n
    signed = int.from_bytes(blind_signature) * int.from_bytes(inverse) % modulus
    signature = signed.to_bytes(_length(modulus))
    if len(blind_signature) != _length(modulus) or not verified(key, message, signature):
        raise BlindingFault("the box did not sign this")
    return signature


def verified(key: rsa.RSAPublicKey, message: bytes, signature: bytes) -> bool:
    """Whether this key signed the message: RSASSA-PSS with SHA-384 and a salt of 48 bytes."""
    scheme = padding.PSS(mgf=padding.MGF1(hashes.SHA384()), salt_length=SALT_BYTES)
    try:
        key.verify(signature, message, scheme, hashes.SHA384())
    except InvalidSignature:
        return False
    return True


def encode_pss(message: bytes, bits: int, salt: bytes) -> bytes:
    """EMSA-PSS with SHA-384 (RFC 8017, 9.1.1), for `bits`: one less than the key has."""
    length = -(-bits // 8)
    digest = _sha384(bytes(8) + _sha384(message) + salt)
    block = bytes(length - len(salt) - _HASH_BYTES - 2) + b"\x01" + salt
    mask = _mgf1(digest, len(block))
    masked = bytearray(each ^ other for each, other in zip(block, mask, strict=True))
    masked[0] &= 0xFF >> (8 * length - bits)
    return bytes(masked) + digest + b"\xbc"


def _private_power(key: rsa.RSAPrivateNumbers, number: int) -> int:
    """By the primes apart: four times as fast, and what went wrong on the way is seen by whoever checks the signature."""
    by_p, by_q = pow(number, key.dmp1, key.p), pow(number, key.dmq1, key.q)
    return by_q + key.iqmp * (by_p - by_q) % key.p * key.q


def _mgf1(seed: bytes, length: int) -> bytes:
    blocks = range(-(-length // _HASH_BYTES))
    return b"".join(_sha384(seed + number.to_bytes(4)) for number in blocks)[:length]


def _sha384(message: bytes) -> bytes:
    return hashlib.sha384(message).digest()


def _coprime(modulus: int) -> int:
    while True:
        number = secrets.randbelow(modulus - 1) + 1
        if gcd(number, modulus) == 1:
            return number


def _length(modulus: int) -> int:
    return (modulus.bit_length() + 7) // 8
