"""Tokens at the door of the API, and stamps on commands: who is believed, and who is not."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from engine.keys.key_files import KeyFault, KeyFileExposed
from engine.keys.keys import Keys, ensure_keys
from engine.keys.stamps import StampSigner, verify
from engine.keys.token_errors import (
    RoleUnknown,
    TokenExpired,
    TokenKeyUnknown,
    TokenMalformed,
    TokenMissing,
    TokenNotYetValid,
    TokenRefused,
    TokenSignatureWrong,
    TokenWrongAudience,
    TokenWrongIssuer,
)
from engine.keys.token_keys import JwksFile
from engine.keys.token_memory import TokenMemory
from engine.keys.tokens import Verifier, issue
from schemas.values.actor import Actor, Channel, Role, Stamp
from tests.waiting import eventually

NOW = datetime.now(UTC)


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Keys:
    return ensure_keys(tmp_path_factory.mktemp("town") / "keys")


@pytest.fixture(scope="module")
def verifier(keys: Keys) -> Verifier:
    return Verifier(keys.jwks_file)


def from_now(value: Any) -> Any:
    """A time that a claim names from the moment of signing: parameters are made long before their test runs."""
    return (datetime.now(UTC) + value).timestamp() if isinstance(value, timedelta) else value


def sign(keys: Keys, headers: dict[str, Any] | None = None, **changes: Any) -> str:
    """A token signed with the right key, with some claims other than they should be; None takes a claim away."""
    claims = {"iss": "jiceng-local", "aud": "jiceng", "sub": "resident-1", "role": "resident"}
    claims |= {"iat": timedelta(0), "exp": timedelta(hours=1)} | changes
    key_id, key = keys.token_key()
    kept = {name: from_now(value) for name, value in claims.items() if value is not None}
    return jwt.encode(kept, key, algorithm="EdDSA", headers={"kid": key_id} | (headers or {}))


def test_an_issued_token_says_who_it_is(keys: Keys, verifier: Verifier) -> None:
    """Subject, role, department and area of an issued token become the actor of a command."""
    token = issue(
        keys,
        subject="officer-7",
        role=Role.DEPARTMENT_OFFICER,
        department="urban-management",
        area="320104",
        lifetime=timedelta(hours=2),
    )
    principal = verifier.verify(token)

    assert principal.actor(Channel.APP) == Actor(
        subject="officer-7",
        role=Role.DEPARTMENT_OFFICER,
        department="urban-management",
        area="320104",
        channel=Channel.APP,
    )
    assert timedelta(hours=1, minutes=59) < principal.expires_at - datetime.now(UTC) <= timedelta(hours=2)
    assert principal.token_id != verifier.verify(issue(keys, subject="a", role=Role.ADMIN)).token_id


@pytest.mark.parametrize("token", [None, "", "  "])
def test_no_token_is_missing(verifier: Verifier, token: str | None) -> None:
    """Without a token the answer is to sign in."""
    with pytest.raises(TokenMissing):
        verifier.verify(token)


@pytest.mark.parametrize(
    ("changes", "refusal"),
    [
        ({"exp": timedelta(seconds=-60)}, TokenExpired),
        ({"iat": timedelta(seconds=90)}, TokenNotYetValid),
        ({"aud": "elsewhere"}, TokenWrongAudience),
        ({"iss": "somebody"}, TokenWrongIssuer),
        ({"role": "king"}, RoleUnknown),
        ({"role": "engine"}, RoleUnknown),
        ({"role": ["admin", "auditor"]}, RoleUnknown),
        ({"sub": "  "}, TokenMalformed),
        ({"sub": 7}, TokenMalformed),
        ({"area": {"all": True}}, TokenMalformed),
        ({"role": "department_officer"}, TokenMalformed),
        ({"role": "department_officer", "department": " "}, TokenMalformed),
        ({"exp": "never"}, TokenMalformed),
        ({"exp": 10**30}, TokenMalformed),
        *(({name: None}, TokenMalformed) for name in ("exp", "iat", "iss", "sub", "role")),
        ({"aud": None}, TokenMalformed),
    ],
)
def test_a_wrong_claim_is_refused_by_name(
    keys: Keys, verifier: Verifier, changes: dict[str, Any], refusal: type[TokenRefused]
) -> None:
    """Each claim that is wrong or missing has its own refusal, although the signature is right."""
    with pytest.raises(TokenRefused) as refused:
        verifier.verify(sign_raw(keys, changes) if {"sub", "exp"} & set(changes) else sign(keys, **changes))
    assert type(refused.value) is refusal


def sign_raw(keys: Keys, changes: dict[str, Any]) -> str:
    """As `sign`, also for claims that PyJWT would not write."""
    claims: dict[str, Any] = {"iss": "jiceng-local", "aud": "jiceng", "sub": "resident-1", "role": "resident"}
    claims |= {"iat": timedelta(0), "exp": timedelta(hours=1)} | changes
    kept = {name: from_now(value) for name, value in claims.items() if value is not None}
    key_id, key = keys.token_key()
    return jwt.PyJWS().encode(json.dumps(kept).encode(), key, algorithm="EdDSA", headers={"kid": key_id})


@pytest.mark.parametrize("changes", [{"exp": timedelta(seconds=-10)}, {"iat": timedelta(seconds=15)}])
def test_clocks_may_differ_a_little(keys: Keys, verifier: Verifier, changes: dict[str, Any]) -> None:
    """Seconds between two machines' clocks send nobody away."""
    assert verifier.verify(sign(keys, **changes)).subject == "resident-1"


def test_another_signature_is_refused(keys: Keys, verifier: Verifier) -> None:
    """A token signed by somebody else under our key's id, or changed after signing, is refused."""
    key_id, _ = keys.token_key()
    claims = jwt.decode(sign(keys), options={"verify_signature": False})
    forged = jwt.encode(claims | {"role": "admin"}, Ed25519PrivateKey.generate(), "EdDSA", {"kid": key_id})
    head, _, tail = sign(keys).split(".")
    changed = ".".join([head, forged.split(".")[1], tail])

    for token in (forged, changed):
        with pytest.raises(TokenSignatureWrong):
            verifier.verify(token)


def test_the_algorithm_is_ours_to_choose(keys: Keys, verifier: Verifier) -> None:
    """A token cannot talk its way in by naming another algorithm: not none, not HMAC with our public key."""
    key_id, _ = keys.token_key()
    claims = jwt.decode(sign(keys), options={"verify_signature": False})
    public = json.loads(keys.jwks_file.read_text())["keys"][0]["x"].ljust(64, "=")
    for algorithm, key in (("none", ""), ("HS256", public)):
        with pytest.raises(TokenMalformed):
            verifier.verify(jwt.encode(claims, key, algorithm, {"kid": key_id}))
    for algorithm in ("HS256", "none"):
        with pytest.raises(KeyFault, match=algorithm):
            Verifier(keys.jwks_file, algorithms=frozenset({algorithm}))


def test_an_unknown_key_is_refused(keys: Keys, verifier: Verifier, tmp_path: Path) -> None:
    """A token of another town's key, or of no named key, is refused."""
    with pytest.raises(TokenKeyUnknown):
        verifier.verify(issue(ensure_keys(tmp_path / "keys"), subject="a", role=Role.ADMIN))
    with pytest.raises(TokenMalformed):
        verifier.verify(jwt.encode({"sub": "a"}, keys.token_key()[1], "EdDSA"))


@given(token=st.one_of(st.text(max_size=60), st.from_regex(r"[\w-]{0,40}\.[\w-]{0,40}\.[\w-]{0,40}", fullmatch=True)))
def test_garbage_is_refused_by_name(verifier: Verifier, token: str) -> None:
    """Whatever is sent as a token is refused as such, never with a crash, and not quoted."""
    with pytest.raises(TokenRefused) as refused:
        verifier.verify(token)
    assert len(token) < 12 or token not in str(refused.value)  # a shorter one may be a part of our own words


@pytest.mark.parametrize("text", ["[" * 5000, '{"kid":' + "[" * 4000, '{"alg":"EdDSA","kid":["x"]}', "1e999", "null"])
def test_a_hostile_header_is_refused(keys: Keys, verifier: Verifier, text: str) -> None:
    """A header made to break the parser is refused as malformed, as is a token of a megabyte."""
    header = jwt.utils.base64url_encode(text.encode()).decode()
    for token in (f"{header}.e30.AA", "\ud800.e30.AA", "A" * 1_000_000):
        with pytest.raises(TokenMalformed):
            verifier.verify(token)


def test_every_refusal_speaks_to_people() -> None:
    """Each kind of refusal has a sentence in Chinese and one in English, and a code of its own."""
    kinds: list[type[TokenRefused]] = [TokenRefused, *TokenRefused.__subclasses__()]

    assert all(kind.__doc__ and "。" in kind.__doc__ and str(kind()) == kind.__doc__ for kind in kinds)
    assert len({kind.code for kind in kinds}) == len(kinds) == 10


def test_a_new_key_is_found_without_a_restart(tmp_path: Path) -> None:
    """A key added to the JWKS file is believed from then on, and one that was taken out is not."""
    keys, other = ensure_keys(tmp_path / "one"), ensure_keys(tmp_path / "two")
    verifier = Verifier(keys.jwks_file)
    old, new = (issue(town, subject="a", role=Role.ADMIN) for town in (keys, other))
    with pytest.raises(TokenKeyUnknown):
        verifier.verify(new)
    both = [json.loads(town.jwks_file.read_text())["keys"][0] for town in (keys, other)]
    keys.jwks_file.write_text(json.dumps({"keys": both}))
    believed = verifier.verify(new).subject, verifier.verify(old).subject
    keys.jwks_file.write_text(json.dumps({"keys": both[1:]}))
    with pytest.raises(TokenKeyUnknown):
        verifier.verify(old)

    assert believed == ("a", "a")
    assert verifier.verify(new).subject == "a"


def test_a_token_that_was_checked_before_ends_with_its_time_and_its_key(keys: Keys, tmp_path: Path) -> None:
    """A token is checked once, and no longer believed from the second in which it ends, nor after its key was exchanged."""
    public, other = (JwksFile(town.jwks_file, frozenset({"EdDSA"})) for town in (keys, ensure_keys(tmp_path / "other")))
    key_id, _ = keys.token_key()
    key = public.find(key_id, "EdDSA")
    assert key is not None
    memory = TokenMemory[str]()

    def found(asked: str, at: datetime, by: JwksFile) -> str | None:
        memory.keep("a.b.c", "resident-1", key_id=key_id, algorithm="EdDSA", key=key, ends_at=NOW)
        return memory.find(asked, by, at)

    assert found("a.b.c", NOW - timedelta(microseconds=1), public) == "resident-1"
    assert found("a.b.d", NOW - timedelta(hours=1), public) is None
    assert found("a.b.c", NOW, public) is None
    assert found("a.b.c", NOW - timedelta(hours=1), other) is None
    assert len(memory) == 0


async def test_a_token_that_was_believed_ends_at_the_door_too(keys: Keys) -> None:
    """Tokens live in real time: one that was believed a moment ago is refused as expired when its second has come."""
    strict = Verifier(keys.jwks_file, skew=timedelta(0))
    token = sign(keys, exp=timedelta(seconds=2))
    believed = strict.verify(token)

    def is_over() -> bool:
        try:
            strict.verify(token)
        except TokenExpired:
            return True
        return False

    await eventually(is_over, within=10)
    assert believed.subject == "resident-1"


def test_few_tokens_are_remembered_and_none_as_it_was_sent(keys: Keys) -> None:
    """However many tokens come, no more are remembered than there is place for: those used last, and their digests only."""
    public, (key_id, _) = JwksFile(keys.jwks_file, frozenset({"EdDSA"})), keys.token_key()
    key = public.find(key_id, "EdDSA")
    assert key is not None
    memory = TokenMemory[int](at_most=3)
    for number in range(5):
        memory.keep(f"secret-{number}", number, key_id=key_id, algorithm="EdDSA", key=key, ends_at=NOW)
        memory.find("secret-0", public, NOW - timedelta(hours=1))

    kept = [memory.find(f"secret-{number}", public, NOW - timedelta(hours=1)) for number in range(5)]
    assert kept == [0, None, None, 3, 4]
    assert "secret" not in repr(vars(memory))


def test_a_token_that_lasts_for_ever_is_checked_too(keys: Keys, verifier: Verifier) -> None:
    """An end in the year 9999 is an end like another, whatever the skew adds to it."""
    token = sign(keys, exp=datetime.max.replace(tzinfo=UTC).timestamp() - 1)

    assert verifier.verify(token) == verifier.verify(token)


def test_a_half_made_file_sends_nobody_away(tmp_path: Path) -> None:
    """A JWKS file that is broken or gone later on leaves the keys that were read before in force."""
    keys, other = ensure_keys(tmp_path / "one"), ensure_keys(tmp_path / "two")
    verifier = Verifier(keys.jwks_file)
    for text in ("", '{"keys": []}', "[]", None):
        keys.jwks_file.unlink() if text is None else keys.jwks_file.write_text(text)
        with pytest.raises(TokenKeyUnknown):
            verifier.verify(issue(other, subject="a", role=Role.ADMIN))

        assert verifier.verify(issue(keys, subject="b", role=Role.ADMIN)).subject == "b"
    with pytest.raises(KeyFault):
        Verifier(keys.jwks_file)


def test_a_key_file_that_others_can_change_is_refused(tmp_path: Path) -> None:
    """Who can write the JWKS file can be anybody: such a file is refused; others may read it."""
    keys = ensure_keys(tmp_path / "keys")
    keys.jwks_file.chmod(0o644)
    Verifier(keys.jwks_file)
    keys.jwks_file.chmod(0o664)
    with pytest.raises(KeyFileExposed, match="chmod 644"):
        Verifier(keys.jwks_file)


@pytest.mark.parametrize(
    "wrong",
    [
        {"subject": " ", "role": Role.ADMIN},
        {"subject": "a", "role": Role.ENGINE},
        {"subject": "a", "role": Role.DEPARTMENT_OFFICER},
    ],
)
def test_no_token_is_issued_that_would_be_refused(keys: Keys, wrong: dict[str, Any]) -> None:
    """The local issuer refuses what the door would refuse: no subject, the engine, an officer of no department."""
    with pytest.raises(ValueError, match=r"\."):
        issue(keys, **wrong)


STAMP = Stamp(
    case_id="incident-20261121-000017",
    command="sign",
    command_id="c1",
    actor=Actor(subject="officer-7", role=Role.DEPARTMENT_OFFICER, department="urban-management"),
    at=NOW,
    digest="0" * 64,
)


def test_a_signed_stamp_is_believed(keys: Keys) -> None:
    """A stamp signed by the API is believed, also after its way through JSON, and signing it again is the same."""
    signer = StampSigner(keys)
    signed = signer.sign(STAMP)

    assert verify(signed, keys.stamp_ring)
    assert verify(Stamp.model_validate_json(signed.model_dump_json()), keys.stamp_ring)
    assert signer.sign(signed) == signed


@pytest.mark.parametrize(
    "change",
    [
        {"case_id": "incident-20261121-000018"},
        {"command": "finish"},
        {"command_id": "c2"},
        {"actor": STAMP.actor.model_copy(update={"role": Role.SUPERVISOR})},
        {"actor": STAMP.actor.model_copy(update={"area": "320104"})},
        {"actor": STAMP.actor.model_copy(update={"channel": Channel.HOTLINE})},
        {"at": NOW + timedelta(microseconds=1)},
        {"digest": "1" * 64},
        {"key_id": "stamps-other"},
        {"signature": ""},
        {"signature": "AAAA"},
        {"signature": "不是签名"},
    ],
)
def test_a_changed_stamp_is_not_believed(keys: Keys, change: dict[str, Any]) -> None:
    """Whatever of a stamp is changed after signing, it is no longer believed."""
    assert not verify(StampSigner(keys).sign(STAMP).model_copy(update=change), keys.stamp_ring)


def test_a_signature_has_one_spelling(keys: Keys) -> None:
    """The same signature in another spelling of base64 is not believed: a command has one digest only."""
    signed = StampSigner(keys).sign(STAMP)
    body = signed.signature.removesuffix("==")
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    other = body[:-1] + alphabet[alphabet.index(body[-1]) ^ 1] + "=="

    assert not verify(signed.model_copy(update={"signature": other}), keys.stamp_ring)


def test_a_stamp_of_another_town_is_not_believed(keys: Keys, tmp_path: Path) -> None:
    """A stamp is believed only under a key of this town's ring."""
    assert not verify(StampSigner(ensure_keys(tmp_path / "keys")).sign(STAMP), keys.stamp_ring)
