"""By what somebody is known: every kind of document that a household can have, in whatever writing, and what is wrong with one."""

from datetime import date

import pytest

from engine.vault.person_identity import IdentityKind, IdentityUnusable, PersonIdentity
from schemas.values.identity_document import DocumentKind, IdentityDocument, identity_faults, identity_of
from schemas.values.identity_number import age_on, tidy_identity_number
from tests.examples.welfare import identity_number

TODAY = date(2026, 11, 28)
ENDS_IN_X = next(number for order in range(100) if (number := identity_number("19480307", order)).endswith("X"))
FULL_WIDTH = str.maketrans({chr(each): chr(each + 0xFEE0) for each in range(0x21, 0x7F)})


def document(kind: str, number: str | None = None, birth: str = "1980-01-02") -> IdentityDocument:
    return IdentityDocument.model_validate({"kind": kind, "number": number, "birth": birth})


def faults(number: str | None = None, stated: IdentityDocument | None = None, **other: object) -> list[str]:
    found = identity_faults("who", number, stated, TODAY, **other)  # type: ignore[arg-type]
    return [fault.field.removeprefix("who.") for fault in found]


@pytest.mark.parametrize(
    "written",
    [
        ENDS_IN_X,
        ENDS_IN_X.lower(),
        ENDS_IN_X.translate(FULL_WIDTH),
        f"{ENDS_IN_X[:-1]}Ｘ",
        f"{ENDS_IN_X[:-1]}ｘ",
        f"\u202d{ENDS_IN_X}\u202c",
        f"\ufeff{ENDS_IN_X[:6]} {ENDS_IN_X[6:14]}\u3000{ENDS_IN_X[14:]}\u200b\n",
        f"{ENDS_IN_X[:5]}\u00ad{ENDS_IN_X[5:]}\u3164",
    ],
)
def test_a_number_means_the_same_however_it_was_written(written: str) -> None:
    """Full width, small letters, blanks and marks of direction are ways to write it: one number, one person."""
    assert tidy_identity_number(written) == ENDS_IN_X
    assert faults(written) == []
    assert PersonIdentity.identity_number(written) == PersonIdentity.identity_number(ENDS_IN_X)


@pytest.mark.parametrize(
    ("kind", "right", "wrong"),
    [
        ("hk_macao_permit", ["H12345678", "m12345678", "Ｈ１２３４５６７８"], ["12345678", "X12345678", "H1234567", "H123456789"]),
        ("taiwan_permit", ["12345678", "1234 5678"], ["1234567", "123456789", "A2345678"]),
        ("foreign_residence", ["USA123456789012"], ["US1234567890123", "123456789012345"]),
        ("passport", ["E12345678", "g1234567", "12AB34567"], ["E1234", "PASSPORT", "E1234567890123456", "Ж1234567"]),
    ],
)  # fmt: skip
def test_each_kind_of_document_has_its_form(kind: str, right: list[str], wrong: list[str]) -> None:
    """A number of the form of its kind is taken, in any writing; any other is a fault that names its field."""
    for number in right:
        assert faults(stated=document(kind, number)) == [], number
    for number in wrong:
        assert faults(stated=document(kind, number)) == ["identity_document.number"], number


def test_a_document_without_a_number_is_a_fault() -> None:
    """Only who has none yet leaves it out."""
    assert faults(stated=document("passport")) == ["identity_document.number"]
    assert faults(stated=document("none_yet", "E12345678", "2026-11-01")) == ["identity_document.number"]
    assert faults(stated=document("none_yet", None, "2026-11-01")) == []
    assert faults(stated=document("none_yet", None, "2008-11-28")) == ["identity_document.kind"]


def test_one_identity_is_stated_and_no_other() -> None:
    """Neither and both are told, as is a kind that is not taken here."""
    stated = document("passport", "E12345678")
    assert faults() == faults(ENDS_IN_X, stated) == ["identity_number"]
    assert faults(stated=stated, allowed=frozenset({DocumentKind.IDENTITY_NUMBER})) == ["identity_document.kind"]


def test_a_number_of_fifteen_places_is_refused_with_its_reason() -> None:
    """The cards of the first generation are not valid any more: the fault says so, and what to write."""
    (fault,) = identity_faults("who", "320104480307731", None, TODAY)

    assert "15位旧号码" in fault.reason
    assert "18位" in fault.remedy
    assert "320104480307731" not in fault.model_dump_json()


def test_days_of_birth_are_those_of_somebody_alive() -> None:
    """Not born yet, older than anybody, or another day than the number says."""
    assert faults(stated=document("passport", "E12345678", "2026-11-29")) == ["identity_document.birth"]
    assert faults(stated=document("passport", "E12345678", "1880-01-01")) == ["identity_document.birth"]
    other_day = document("foreign_residence", identity_number("19800102"), "1980-01-03")
    assert faults(stated=other_day) == ["identity_document.birth"]


def test_an_eighteen_digit_number_is_the_same_person_by_whatever_name() -> None:
    """居住证 and the newer 永久居留身份证 have a number of that form: it links their holder as it does a citizen."""
    number = identity_number("19800102")
    identity = identity_of(None, document("foreign_residence", number))

    assert (identity.kind, identity.number) == (DocumentKind.IDENTITY_NUMBER, number)
    assert identity == identity_of(number, None)


def test_the_same_characters_in_two_kinds_are_two_persons() -> None:
    """A permit and a passport may have the same number; the blind index tells them apart, and masked numbers find nobody."""
    key = bytes(32)
    kinds = [kind for kind in IdentityKind if kind not in (IdentityKind.ACCOUNT, IdentityKind.PHONE)]
    found = {PersonIdentity.document(kind, "12345678").blind_index(key) for kind in kinds}

    assert len(found) == len(kinds) == 5
    assert {kind.value for kind in kinds} == {kind.value for kind in DocumentKind if kind is not DocumentKind.NONE_YET}
    with pytest.raises(IdentityUnusable):
        PersonIdentity.document(IdentityKind.PASSPORT, "E12***678")


@pytest.mark.parametrize(
    ("born", "adult"), [("2008-11-28", True), ("2008-11-29", False), ("2008-02-29", True), ("2026-11-28", False)]
)
def test_an_adult_is_who_has_turned_eighteen(born: str, *, adult: bool) -> None:
    """On the day itself, not by the month."""
    identity = identity_of(None, document("passport", "E12345678", born))

    assert identity.is_adult(TODAY) is adult
    assert age_on(date(2008, 2, 29), date(2026, 2, 28)) == 17
    assert age_on(date(2008, 2, 29), date(2026, 3, 1)) == 18
