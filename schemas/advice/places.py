"""Whether two reports are of one place: by coordinates, else by what is a name in their addresses, else by the area. Pure."""

import math
import re
import unicodedata

_MICRO_METRES = 0.111_32
"""A micro-degree of latitude in metres."""

_NUMERALS = str.maketrans("零〇一二三四五六七八九", "00123456789")
_GENERIC = re.compile(
    r"小区|社区|花园|公寓|号楼|栋楼|单元|楼下|楼上|楼道|门口|门前|附近|旁边|对面|路口|十字路口|街道|大道|大街|公路|马路|路段|"
    r"未注明|地址|位置|这里|这边|那里|我们|我家|居民|业主|[省市区县镇乡村组路街巷弄号栋座层室旁边处侧里外前后东西南北中]"
)
"""What stands in very many addresses and names no place by itself."""

_WORD = re.compile(r"[^\w]+")
_DIGITS = re.compile(r"[0-9]+")
_SAME_NAME = 0.6


def name_of_place(address: str) -> str:
    """Return what of an address is a name: without the words that stand in every address, and without numbers. Empty: none is."""
    plain = _WORD.sub("", unicodedata.normalize("NFKC", address)).casefold().translate(_NUMERALS)
    return _DIGITS.sub("", _GENERIC.sub("", plain))


def same_name(one: str, other: str) -> bool:
    """Return whether two names of places are one: most of the pairs of characters of the shorter stand in the longer."""
    if not one or not other:
        return False
    shorter, longer = sorted((_pairs(one), _pairs(other)), key=len)
    return len(shorter & longer) >= _SAME_NAME * len(shorter)


def metres_apart(one: tuple[int, int], other: tuple[int, int]) -> float:
    """Return how far two places lie apart, (latitude, longitude) in micro-degrees; good enough within a town."""
    north = (one[0] - other[0]) * _MICRO_METRES
    east = (one[1] - other[1]) * _MICRO_METRES * math.cos(math.radians(one[0] / 1_000_000))
    return math.hypot(north, east)


def _pairs(name: str) -> frozenset[str]:
    return frozenset(name[at : at + 2] for at in range(len(name) - 1)) or frozenset((name,))
