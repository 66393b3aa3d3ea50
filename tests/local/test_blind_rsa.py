"""Blind signatures come out as RFC 9474 says (Appendix A.3, RSABSSA-SHA384-PSS-Deterministic), and hide what they sign."""

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from local.ballot_box.blind_rsa import BlindingFault, blind, blind_sign, encode_pss, finalize, new_key, verified

N = int(
    "aec4d69addc70b990ea66a5e70603b6fee27aafebd08f2d94cbe1250c556e047"
    "a928d635c3f45ee9b66d1bc628a03bac9b7c3f416fe20dabea8f3d7b4bbf7f963be3"
    "35d2328d67e6c13ee4a8f955e05a3283720d3e1f139c38e43e0338ad058a9495c533"
    "77fc35be64d208f89b4aa721bf7f7d3fef837be2a80e0f8adf0bcd1eec5bb040443a"
    "2b2792fdca522a7472aed74f31a1ebe1eebc1f408660a0543dfe2a850f106a617ec6"
    "685573702eaaa21a5640a5dcaf9b74e397fa3af18a2f1b7c03ba91a6336158de420d"
    "63188ee143866ee415735d155b7c2d854d795b7bc236cffd71542df34234221a0413"
    "e142d8c61355cc44d45bda94204974557ac2704cd8b593f035a5724b1adf442e78c5"
    "42cd4414fce6f1298182fb6d8e53cef1adfd2e90e1e4deec52999bdc6c29144e8d52"
    "a125232c8c6d75c706ea3cc06841c7bda33568c63a6c03817f722b50fcf898237d78"
    "8a4400869e44d90a3020923dc646388abcc914315215fcd1bae11b1c751fd52443aa"
    "c8f601087d8d42737c18a3fa11ecd4131ecae017ae0a14acfc4ef85b83c19fed33cf"
    "d1cd629da2c4c09e222b398e18d822f77bb378dea3cb360b605e5aa58b20edc29d00"
    "0a66bd177c682a17e7eb12a63ef7c2e4183e0d898f3d6bf567ba8ae84f84f1d23bf8"
    "b8e261c3729e2fa6d07b832e07cddd1d14f55325c6f924267957121902dc19b3b329"
    "48bdead5",
    16,
)
Q = int(
    "c601a9caea66dc3835827b539db9df6f6f5ae77244692780cd334a006ab353c8"
    "06426b60718c05245650821d39445d3ab591ed10a7339f15d83fe13f6a3dfb20b945"
    "2c6a9b42eaa62a68c970df3cadb2139f804ad8223d56108dfde30ba7d367e9b0a7a8"
    "0c4fdba2fd9dde6661fc73fc2947569d2029f2870fc02d8325acf28c9afa19ecf962"
    "daa7916e21afad09eb62fe9f1cf91b77dc879b7974b490d3ebd2e95426057f35d0a3"
    "c9f45f79ac727ab81a519a8b9285932d9b2e5ccd347e59f3f32ad9ca359115e7da00"
    "8ab7406707bd0e8e185a5ed8758b5ba266e8828f8d863ae133846304a2936ad7bc7c"
    "9803879d2fc4a28e69291d73dbd799f8bc238385",
    16,
)
MESSAGE = bytes.fromhex(
    "8f3dc6fb8c4a02f4d6352edf0907822c1210a9b32f9bdda4c45a698c80023aa6b59f8cfec5fdbb36331372ebefedae7d"
)
SALT = bytes.fromhex("051722b35f458781397c3a671a7d3bd3096503940e4c4f1aaa269d60300ce449555cd7340100df9d46944c5356825abf")
INVERSE = int(
    "80682c48982407b489d53d1261b19ec8627d02b8cda5336750b8cee332ae26"
    "0de57b02d72609c1e0e9f28e2040fc65b6f02d56dbd6aa9af8fde656f70495dfb723"
    "ba01173d4707a12fddac628ca29f3e32340bd8f7ddb557cf819f6b01e445ad96f874"
    "ba235584ee71f6581f62d4f43bf03f910f6510deb85e8ef06c7f09d9794a008be7ff"
    "2529f0ebb69decef646387dc767b74939265fec0223aa6d84d2a8a1cc912d5ca25b4"
    "e144ab8f6ba054b54910176d5737a2cff011da431bd5f2a0d2d66b9e70b39f4b050e"
    "45c0d9c16f02deda9ddf2d00f3e4b01037d7029cd49c2d46a8e1fc2c0c17520af1f4"
    "b5e25ba396afc4cd60c494a4c426448b35b49635b337cfb08e7c22a39b256dd032c0"
    "0adddafb51a627f99a0e1704170ac1f1912e49d9db10ec04c19c58f420212973e0cb"
    "329524223a6aa56c7937c5dffdb5d966b6cd4cbc26f3201dd25c80960a1a111b3294"
    "7bb78973d269fac7f5186530930ed19f68507540eed9e1bab8b00f00d8ca09b3f099"
    "aae46180e04e3584bd7ca054df18a1504b89d1d1675d0966c4ae1407be325cdf623c"
    "f13ff13e4a28b594d59e3eadbadf6136eee7a59d6a444c9eb4e2198e8a974f27a39e"
    "b63af2c9af3870488b8adaad444674f512133ad80b9220e09158521614f1faadfe85"
    "05ef57b7df6813048603f0dd04f4280177a11380fbfc861dbcbd7418d62155248dad"
    "5fdec0991f",
    16,
)
ENDS = {
    "encoded": ("6e0c464d9c2f9fbc147b43570fc4f238e0d0b388", "33c09759aa9734e2013d7640dc6151018ea902bc"),
    "blinded": ("10c166c6a711e81c46f45b18e5873cc4f494f003", "9c94a8a855acf30533d8e0594ace7c442"),
    "blind_signature": ("364f6a40dbfbc3bbb257943337eeff791a0f2908", "6011361611e6bc5c0dc851e1509de1a"),
    "signature": ("6fef8bf9bc182cd8cf7ce45c7dcf0e6f3e518ae4", "872fe7c865c42ed59029c706195d52"),
}
"""How each value of the vector begins and ends: a wrong one differs in all of it."""


def rfc_key() -> rsa.RSAPrivateKey:
    """The key of the vector, from its modulus and one of the primes."""
    p, q, e = N // Q, Q, 65537
    assert p * q == N
    d = pow(e, -1, (p - 1) * (q - 1))
    public = rsa.RSAPublicNumbers(e, N)
    return rsa.RSAPrivateNumbers(p, q, d, d % (p - 1), d % (q - 1), pow(q, -1, p), public).private_key()


def is_of_the_vector(name: str, value: bytes) -> bool:
    """Whether a value is that of the RFC."""
    begins, ends = ENDS[name]
    return value.hex().startswith(begins) and value.hex().endswith(ends)


def test_every_step_comes_out_as_the_vector_of_the_rfc() -> None:
    """Encoding, blinding, the blind signature and the final one, with the salt and the inverse of the vector."""
    key = rfc_key()
    blinded = blind(key.public_key(), MESSAGE, salt=SALT, inverse=INVERSE)
    blind_signature = blind_sign(key, blinded.message)
    signature = finalize(key.public_key(), MESSAGE, blind_signature, blinded.inverse)

    assert is_of_the_vector("encoded", encode_pss(MESSAGE, N.bit_length() - 1, SALT))
    assert is_of_the_vector("blinded", blinded.message)
    assert is_of_the_vector("blind_signature", blind_signature)
    assert is_of_the_vector("signature", signature)


def test_the_same_serial_is_blinded_to_something_else_each_time() -> None:
    """Whoever sees what was signed cannot tell it from any other; the signature fits the serial and no other one."""
    key = new_key(2048)
    one, other = blind(key.public_key(), b"serial"), blind(key.public_key(), b"serial")
    signature = finalize(key.public_key(), b"serial", blind_sign(key, one.message), one.inverse)

    assert one.message != other.message
    assert verified(key.public_key(), b"serial", signature)
    assert not verified(key.public_key(), b"serial2", signature)
    assert not verified(new_key(2048).public_key(), b"serial", signature)
    assert signature not in (one.message, blind_sign(key, one.message))


def test_what_does_not_fit_the_key_is_not_signed() -> None:
    """Of another length, nothing, or as large as the key; and what the box did not sign is no ballot."""
    key = new_key(2048)
    modulus = key.public_key().public_numbers().n
    for wrong in (b"short", bytes(256), modulus.to_bytes(256)):
        with pytest.raises(BlindingFault):
            blind_sign(key, wrong)
    blinded = blind(key.public_key(), b"serial")
    with pytest.raises(BlindingFault):
        finalize(key.public_key(), b"serial", blind_sign(new_key(2048), blinded.message), blinded.inverse)
