"""The identity number of a citizen 公民身份号码 (GB 11643-1999): whether it can be one, and what the town needs of it.

Seventeen digits and a check character: six for the place, eight for the day of birth, three for the order.
"""

import re
import unicodedata
from datetime import date

_FORM = re.compile(r"[1-9][0-9]{16}[0-9X]")
_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CHECK = "10X98765432"
_FIRST_YEAR = 1900
_UNSEEN = frozenset({"Cc", "Cf", "Mn", "Zl", "Zp", "Zs"})
_FILLERS = frozenset("\u115f\u1160\u2800\u3164\uffa0")


def tidy_identity_number(text: str) -> str:
    """The number as it is kept: full-width characters plain, letters capital, without blanks and what nobody sees.

    A number that is copied from a screen brings marks of direction along; an input method writes digits in full width.
    """
    plain = unicodedata.normalize("NFKC", text).upper()
    return "".join(each for each in plain if unicodedata.category(each) not in _UNSEEN and each not in _FILLERS)


def is_identity_number(text: str, today: date) -> bool:
    """Whether a tidy text is the number of somebody born by today: form, day of birth and check character fit."""
    if not _FORM.fullmatch(text):
        return False
    try:
        born = date(int(text[6:10]), int(text[10:12]), int(text[12:14]))
    except ValueError:
        return False
    return date(_FIRST_YEAR, 1, 1) <= born <= today and check_character(text[:17]) == text[17]


def check_character(digits: str) -> str:
    """The last character of the number that begins with these seventeen digits."""
    return _CHECK[sum(int(digit) * weight for digit, weight in zip(digits, _WEIGHTS, strict=True)) % 11]


def birth_day(number: str) -> date:
    """The day of birth in a number that is one."""
    return date(int(number[6:10]), int(number[10:12]), int(number[12:14]))


def birth_month(number: str) -> str:
    """The month of birth, "1950-03": enough to know an age by the month for years, and not the day."""
    return f"{number[6:10]}-{number[10:12]}"


def age_on(born: date, today: date) -> int:
    """The age in whole years on a day; below nothing for who is not born yet. Born on 29 February: a year more on 1 March."""
    return today.year - born.year - ((today.month, today.day) < (born.month, born.day))


def age_in(birth: str, month: str) -> int:
    """The age that somebody has or reaches in a month; both as "YYYY-MM"."""
    years, months = int(month[:4]) - int(birth[:4]), int(month[5:]) - int(birth[5:])
    return years if months >= 0 else years - 1
