"""By what somebody is known: the identity number of a citizen, another document, or none yet; and what is wrong with it.

The documents are those with which 港澳台居民 and foreigners live here: 港澳居民来往内地通行证, 台湾居民来往大陆通行证,
外国人永久居留身份证, a passport. Their holders may have an 18-digit number as well (居住证 81, 82, 83; newer 永久居留身份证):
then that is the identity number. A child whose birth is not registered yet has none.
"""

import re
from collections.abc import Iterator, Mapping
from datetime import date
from enum import StrEnum

from pydantic import ConfigDict, Field

from schemas.values.identity_number import age_on, birth_day, is_identity_number, tidy_identity_number
from schemas.values.model import Model
from schemas.values.refusals import Fault, say

ADULT_AT = 18
"""民法典 第十七条: who has turned 18 is an adult, and speaks for themselves."""

OLDEST = 130
_FIRST_GENERATION = re.compile(r"[1-9][0-9]{14}")


class DocumentKind(StrEnum):
    """What kind of document it is. The same characters in two kinds are two different persons."""

    IDENTITY_NUMBER = "identity_number"
    HK_MACAO_PERMIT = "hk_macao_permit"
    TAIWAN_PERMIT = "taiwan_permit"
    FOREIGN_RESIDENCE = "foreign_residence"
    PASSPORT = "passport"
    NONE_YET = "none_yet"


_FORMS: Mapping[DocumentKind, tuple[str, str, str]] = {
    DocumentKind.HK_MACAO_PERMIT: (
        r"[HM][0-9]{8}",
        "港澳居民来往内地通行证号码为H或M加8位数字",
        "the number of a mainland travel permit for Hong Kong and Macao is H or M and 8 digits",
    ),
    DocumentKind.TAIWAN_PERMIT: (
        r"[0-9]{8}",
        "台湾居民来往大陆通行证号码为8位数字",
        "the number of a mainland travel permit for Taiwan is 8 digits",
    ),
    DocumentKind.FOREIGN_RESIDENCE: (
        r"[A-Z]{3}[0-9]{12}",
        "外国人永久居留身份证号码为3位字母加12位数字,新版为18位",
        "the number of a foreigner's permanent residence card is 3 letters and 12 digits, or 18 places on newer cards",
    ),
    DocumentKind.PASSPORT: (
        r"(?=.*[0-9])[A-Z0-9]{6,15}",
        "护照号码为6至15位字母或数字",
        "the number of a passport is 6 to 15 letters and digits",
    ),
}


class IdentityDocument(Model):
    """Another document than the identity number. `birth`: the day of birth, as it stands there. Prints nothing of itself."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    kind: DocumentKind
    number: str | None = Field(default=None, max_length=40, repr=False)
    birth: date = Field(repr=False)


class CardIdentity(Model):
    """By what somebody is known, in one form. `number` None: nothing yet."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    kind: DocumentKind
    number: str | None = Field(repr=False)
    birth: date = Field(repr=False)

    @property
    def shows_birth(self) -> bool:
        """Whether the number itself has the day of birth in it, so that nobody can state another one beside it."""
        return self.kind is DocumentKind.IDENTITY_NUMBER

    @property
    def birth_month(self) -> str:
        """The month of birth, "1950-03": enough to know an age by the month for years, and not the day."""
        return f"{self.birth:%Y-%m}"

    def is_adult(self, today: date) -> bool:
        """Whether somebody has turned 18."""
        return age_on(self.birth, today) >= ADULT_AT


def identity_of(number: str | None, document: IdentityDocument | None) -> CardIdentity:
    """The identity that was stated, once `identity_faults` finds nothing wrong with it."""
    if document is None:
        plain = tidy_identity_number(number or "")
        return CardIdentity(kind=DocumentKind.IDENTITY_NUMBER, number=plain, birth=birth_day(plain))
    plain = tidy_identity_number(document.number or "")
    if document.kind is DocumentKind.NONE_YET:
        return CardIdentity(kind=document.kind, number=None, birth=document.birth)
    kind = DocumentKind.IDENTITY_NUMBER if is_identity_number(plain, date.max) else document.kind
    return CardIdentity(kind=kind, number=plain, birth=document.birth)


def identity_faults(
    field: str,
    number: str | None,
    document: IdentityDocument | None,
    today: date,
    allowed: frozenset[DocumentKind] = frozenset(DocumentKind),
    *,
    none_yet_below_age: int = ADULT_AT,
) -> Iterator[Fault]:
    """What is wrong with how somebody is identified.

    `allowed`: the kinds of documents that are taken here; `none_yet_below_age`: older children have one.
    """
    if (number is None) == (document is None):
        yield _fault(
            f"{field}.identity_number",
            "身份证号码与其他证件须填且只填一项",
            "either this or identity_document, and not both",
            "填写18位公民身份号码;没有的,填写identity_document",
            "write the 18 places; who has none states identity_document",
        )
    elif number is not None:
        yield from _number_faults(f"{field}.identity_number", tidy_identity_number(number), today)
    elif document is not None:
        yield from _document_faults(f"{field}.identity_document", document, today, allowed, none_yet_below_age)


def _number_faults(field: str, number: str, today: date) -> Iterator[Fault]:
    if _FIRST_GENERATION.fullmatch(number):
        yield _fault(
            field,
            "为15位旧号码,已停止使用",
            "is a number of 15 places, which is not valid any more",
            "请填写现行身份证上的18位号码",
            "write the 18 places of the card that is valid now",
        )
    elif not is_identity_number(number, today):
        yield _fault(
            field,
            "身份证号码有误",
            "is no identity number: form, day of birth or check character do not fit",
            "请核对18位号码;持其他证件的,填写identity_document",
            "look at its 18 places again; who has another document states identity_document",
        )


def _document_faults(
    field: str, document: IdentityDocument, today: date, allowed: frozenset[DocumentKind], none_yet_below_age: int
) -> Iterator[Fault]:
    kind, number = document.kind, tidy_identity_number(document.number or "")
    if kind not in allowed:
        kinds = ", ".join(sorted(allowed))
        yield _fault(f"{field}.kind", "此处不受理该类证件", "is not taken here", f"可选:{kinds}", f"one of: {kinds}")
    if kind is DocumentKind.NONE_YET:
        yield from _none_yet_faults(field, number, document.birth, today, none_yet_below_age)
    elif kind is DocumentKind.IDENTITY_NUMBER or len(number) == 18:  # noqa: PLR2004 - as of a citizen
        yield from _number_faults(f"{field}.number", number, today)
        if is_identity_number(number, today) and birth_day(number) != document.birth:
            yield _fault(
                f"{field}.birth",
                "与号码中的出生日期不符",
                "is not the day in the number",
                "请核对",
                "look at both again",
            )
    else:
        form, chinese, english = _FORMS[kind]
        if not re.fullmatch(form, number):
            yield _fault(f"{field}.number", f"{chinese}", english, "请按证件填写", "write it as the document has it")
    if not 0 <= age_on(document.birth, today) <= OLDEST:
        yield _fault(
            f"{field}.birth", "出生日期有误", "is no day of birth of anybody alive", "请按证件填写", "see the document"
        )


def _none_yet_faults(field: str, number: str, birth: date, today: date, below_age: int) -> Iterator[Fault]:
    if number:
        yield _fault(
            f"{field}.number",
            "填写了号码,却声明尚无证件",
            "stands beside none_yet",
            "二者选一",
            "leave one of them out",
        )
    if age_on(birth, today) >= ADULT_AT:
        yield _fault(
            f"{field}.kind",
            "成年人须有证件",
            "is for children whose birth is not registered yet",
            "请先补办证件,或填写其他证件",
            "state another document, or have one issued first",
        )
    elif age_on(birth, today) >= below_age:
        yield _fault(
            f"{field}.kind",
            f"年满{below_age}周岁的须有证件",
            f"is for children below {below_age} whose birth is not registered yet",
            "请先办理出生登记,或填写其他证件",
            "have the birth registered first, or state another document",
        )


def _fault(field: str, chinese: str, english: str, remedy_chinese: str, remedy_english: str) -> Fault:
    return Fault(field=field, reason=say(chinese, english), remedy=say(remedy_chinese, remedy_english))
