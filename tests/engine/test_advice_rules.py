"""Hot spots and weak points as sums: what is joined and what is not, what stands out and what is chance."""

import random
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from schemas.advice.advice_policy import HotSpotRules, WeakPointRules
from schemas.advice.dispatch_model import Likelihood
from schemas.advice.hot_spots import Advised, Because, HotSpot, SpotReport, hot_spots
from schemas.advice.places import metres_apart, name_of_place, same_name
from schemas.advice.proposals import Proposal, Taken, decided, proposals
from schemas.advice.weak_points import OF, Figure, MonthCounts, WeakPoints, weak_points

BEGAN = datetime(2026, 11, 2, 9, tzinfo=UTC)
HEAP = "垃圾堆放没人清运"
TWO = HotSpotRules(reports_at_least=2)
MONTHS = [f"2026-{month:02}" for month in range(4, 11)]
NOW = MONTHS[-1]


def report(number: int, text: str = HEAP, address: str = "幸福小区3号楼", **other: Any) -> SpotReport:
    """A report; each by somebody else, an hour after the one before."""
    usual: dict[str, Any] = {
        "category": "环境卫生",
        "department": "urban-management",
        "area": "320104.003.07",
        "who": f"person-{number}",
    }
    opened_at = BEGAN + timedelta(hours=number)
    return SpotReport(
        case_id=f"incident-{number:06}", opened_at=opened_at, text=text, address=address, **(usual | other)
    )


def found(*reports: SpotReport, rules: HotSpotRules = TWO) -> list[HotSpot]:
    return hot_spots(reports, rules)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("幸福小区3号楼", "幸福小区三号楼旁", True),
        ("幸福小区3号楼", "平安小区3号楼", False),
        ("解放路12号", "中山路12号", False),
        ("南街解放路口", "解放路", True),
        ("3号楼门口", "3号楼门口", False),
        ("", "", False),
    ],
)
def test_places_are_told_by_their_names(one: str, other: str, *, same: bool) -> None:
    """What stands in every address, and a number, names no place; where nothing is left, nothing is known."""
    assert same_name(name_of_place(one), name_of_place(other)) is same


def test_a_degree_of_longitude_is_short_in_the_north() -> None:
    """Metres, also at the latitude of Harbin."""
    assert round(metres_apart((45_800_000, 126_500_000), (45_800_000, 126_510_000))) == pytest.approx(776, abs=2)


def test_the_same_words_in_another_place_are_another_matter() -> None:
    """By name and by coordinates; near by is one place, whatever the address says."""
    near, far = (32_060_000, 118_796_000), (32_070_000, 118_796_000)

    assert found(report(1), report(2, address="平安小区3号楼")) == []
    assert found(report(1, place=near), report(2, place=far)) == []
    assert len(found(report(1, place=near), report(2, address="平安里", place=near))) == 1


def test_another_trouble_in_the_same_place_is_another_matter() -> None:
    """Also of the same category, and although both say that nobody came for days."""
    assert found(report(1, "垃圾好几天没人清了"), report(2, "野狗好几天没人管了")) == []


def test_without_any_place_only_nearly_the_same_words_are_one_matter() -> None:
    """What was sent to two desks is found; what is only about the same is not."""
    long = "桥头修理厂夜间切割钢板噪音扰民，粉尘飘散，多户老人失眠"

    assert len(found(report(1, long, ""), report(2, f"{long}！", "未注明"))) == 1
    assert found(report(1, long, ""), report(2, "夜间烧烤店噪音扰民", "")) == []


def test_no_chain_of_likenesses_joins_what_is_far_apart() -> None:
    """Each is 250 metres from the one before, within the limit: the fourth is none of the first one's matter."""
    step = 2246  # 250 metres in micro-degrees
    row = [report(number, place=(32_000_000 + number * step, 118_000_000)) for number in range(6)]

    assert max(len(spot.cases) for spot in found(*row)) < len(row)


def test_one_person_again_and_again_is_no_hot_spot() -> None:
    """Ten reports of one person are ten reports, and one person."""
    assert found(*(report(number, who="one") for number in range(10)), rules=HotSpotRules()) == []


def test_spots_are_the_same_in_any_order() -> None:
    """Reports are taken by their time, so what is asked twice is answered twice the same."""
    reports = [report(n, HEAP if n % 2 else "路灯坏了", "翠湖小区" if n % 3 else "解放路") for n in range(30)]
    mixed = list(reports)
    random.Random(3).shuffle(mixed)  # noqa: S311 - an order

    assert found(*mixed) == found(*reports) != []


def test_what_is_proposed_has_its_reason_and_its_cases() -> None:
    """Open ones merge into the oldest; several departments, or what came back after it was closed, call for a whistle."""
    beside = found(report(1, mergeable=True), report(2, mergeable=True), report(3))[0].advice
    several = found(report(1), report(2, department="housing-construction"))[0].advice
    back = found(report(1, over=True), report(2))[0].advice
    not_back = found(report(1), report(2, over=True))[0].advice
    many = found(*(report(n) for n in range(10)))[0].advice

    assert [(each.advised, each.cases) for each in beside] == [(Advised.MERGE, ("incident-000001", "incident-000002"))]
    assert [(each.advised, each.because) for each in several] == [(Advised.WHISTLE, Because.SEVERAL_DEPARTMENTS)]
    assert [(each.advised, each.because) for each in back] == [(Advised.WHISTLE, Because.CAME_BACK)]
    assert not_back == ()
    assert [(each.advised, each.because) for each in many] == [(Advised.JOINT_TASK, Because.MANY_PEOPLE)]


def counts(name: str, month: str, wrong: int, judged: int = 40, kind: str = "department") -> MonthCounts:
    """Of so many judged so many finished late; nothing else went wrong."""
    every = {str(each): 0 for each in {*OF, *OF.values()}}
    return MonthCounts(kind, name, month, every | {"reported": judged, "finish_judged": judged, "finished_late": wrong})


def year(wrong_now: dict[str, int], wrong_before: int = 4) -> WeakPoints:
    """Departments that were late in `wrong_before` of 40 in each of six months."""
    lines = [counts(name, month, wrong_before) for name in wrong_now for month in MONTHS[:-1]]
    return weak_points(
        [*lines, *(counts(name, NOW, wrong) for name, wrong in wrong_now.items())], NOW, WeakPointRules()
    )


def test_a_department_that_grew_worse_is_named_with_its_numbers() -> None:
    """From one in ten to one in two, forty cases: that is no chance."""
    items = year({"a": 20, "b": 4, "c": 5}).items

    assert [(each.name, each.figure, each.wrong, each.judged) for each in items] == [
        ("a", Figure.FINISHED_LATE, 20, 40)
    ]
    assert (items[0].wrong_before, items[0].judged_before) == (24, 240)
    assert items[0].chance_per_million < 10


def test_what_is_a_little_worse_or_better_is_not_named() -> None:
    """Six of forty where four were usual is what chance does; better is no weakness; without months before nothing is said."""
    assert year({"a": 6, "b": 0}).items == ()
    assert weak_points([counts("a", NOW, 40)], NOW, WeakPointRules()).items == ()


def test_a_share_of_reports_that_grew_is_named() -> None:
    """A category that was a tenth of all reports and is a third: something happens there."""
    lines = [counts(name, month, 0, many, "category") for month in MONTHS[:-1] for name, many in (("x", 10), ("y", 90))]
    now = [counts("x", NOW, 0, 40, "category"), counts("y", NOW, 0, 80, "category")]

    assert [(each.name, each.figure) for each in weak_points([*lines, *now], NOW, WeakPointRules()).items] == [
        ("x", Figure.REPORTED)
    ]


def test_chance_is_rarely_taken_for_a_weakness() -> None:
    """Two hundred towns in which nothing changed, twenty departments each: at most one town in ten is shown anything."""
    chance = random.Random(11)  # noqa: S311 - dice

    def late() -> int:
        return sum(chance.random() < 0.15 for _ in range(40))

    towns = 200
    shown = sum(
        bool(
            weak_points(
                [counts(f"d{n}", month, late()) for n in range(20) for month in MONTHS], NOW, WeakPointRules()
            ).items
        )
        for _ in range(towns)
    )

    assert shown <= towns // 10


def test_what_is_taken_of_proposals() -> None:
    """What was given stays; without it the first, if it is sure enough; a department adds up its categories."""
    said = [
        Likelihood(category=name, permille=share, words=())
        for name, share in (("a", 500), ("b", 300), ("gone", 150), ("c", 50))
    ]
    first = proposals(said, {"a": "x", "b": "y", "c": "x"})

    assert first == (
        Proposal(category="a", department="x", permille=500, department_permille=550),
        Proposal(category="b", department="y", permille=300, department_permille=300),
        Proposal(category="c", department="x", permille=50, department_permille=550),
    )
    assert decided(first, "b", 0) == (Taken.GIVEN, "b", 2)
    assert decided(first, "z", 0) == (Taken.GIVEN, "z", 0)
    assert decided(first, None, 500) == (Taken.PROPOSED, "a", 1)
    assert decided(first, None, 501) == decided((), None, 0) == (Taken.LEFT_OPEN, None, 0)
