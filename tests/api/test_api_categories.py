"""Finding a category by what people say."""

from pathlib import Path
from typing import Any

import pytest

from engine.policies.policies import PolicyFaults
from starter.intake.category_search import Known, load_synonyms, search
from tests.api_callers import As

pytest_plugins = ("tests.api_fixture",)


async def found(as_: As, words: str, **query: Any) -> list[str]:
    """The categories that the API finds, the best first."""
    answer = await as_().get("/api/v1/categories", q=words, **query)
    assert answer.status_code == 200, answer.text
    return [item["category"] for item in answer.json()["items"]]


@pytest.mark.parametrize(
    ("said", "category"),
    [
        ("垃圾", "环境卫生"),
        ("我们小区楼下的垃圾三天没人清运", "环境卫生"),
        ("环境卫生", "环境卫生"),
        ("卫生环境", "环境卫生"),
        ("楼上漏水", "邻里纠纷"),
        ("老板拖欠工资", "劳动和社会保障"),
        ("停水了", "供水供电"),
        ("电动车在楼道充电", "安全隐患"),
        ("WATER", "供水供电"),
        ("law: 人民调解法", "邻里纠纷"),
        ("应急管理局", "安全隐患"),
        ("垃 圾!", "环境卫生"),
        ("公交车", "交通运输"),
    ],
)
async def test_what_people_say_leads_to_the_category(said: str, category: str, as_: As) -> None:
    """By name, by what people call it, by the department or the law; blanks, capitals and punctuation do not matter."""
    assert (await found(as_, said))[0] == category


async def test_nothing_that_fits_is_an_empty_list_and_a_way_out(as_: As) -> None:
    """What fits no category is told so, with who takes it all the same."""
    answer = (await as_().get("/api/v1/categories", q="zzzz")).json()

    assert answer == {"items": [], "otherwise": "coordination-centre"}


async def test_without_words_the_whole_list_is_shown(as_: As) -> None:
    """Somebody who only wants to look gets every category, in the order of the list; `limit` cuts it."""
    whole = await found(as_, "", limit=1000)

    assert {"环境卫生", "邻里纠纷", "安全隐患", "证件办理"} <= set(whole)
    assert await found(as_, " ", limit=2) == whole[:2]


async def test_only_punctuation_finds_nothing(as_: As) -> None:
    """Words without a letter or a digit are no words."""
    assert await found(as_, "!?。") == []


async def test_an_item_says_who_answers_by_which_law_and_why_it_was_found(as_: As) -> None:
    """The line of the responsibility list, with the names of the department, and the words that led to it."""
    [item, *_] = (await as_().get("/api/v1/categories", q="垃圾")).json()["items"]

    assert (item["department"], item["department_zh"], item["urgency"]) == ("urban-management", "城管局", "ordinary")
    assert "环境卫生" in item["legal_basis"]
    assert item["because"][0] == "synonym: 垃圾"


def test_a_name_counts_more_than_a_department_and_that_more_than_a_law() -> None:
    """The same word leads first to the category that bears it, then to whose department does, then to whose law does."""
    by = {"name": "甲乙", "synonym": "甲乙", "department": "甲乙", "legal_basis": "甲乙"}
    known = [Known(source, {source: (word,)}) for source, word in reversed(by.items())]

    assert [each.category for each in search(known, "甲乙")] == ["name", "synonym", "department", "legal_basis"]


def test_the_longer_word_that_was_said_decides() -> None:
    """Of two words that somebody said, the longer says more."""
    known = [Known("short", {"synonym": ("漏水",)}), Known("long", {"synonym": ("楼上漏水",)})]

    assert [each.category for each in search(known, "家里楼上漏水怎么办")] == ["long", "short"]


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("没有的类别: [词]", "没有的类别: is no category of incident.yaml"),
        ("环境卫生: 垃圾", "环境卫生: is no list of words"),
        ("环境卫生: [垃圾, 12]", "环境卫生: is no list of words"),
        ("环境卫生: ['!']", "环境卫生: is no list of words"),
        ("- 环境卫生", "no list of words by category"),
        ("环境卫生: [垃圾", "not readable as YAML"),
        ("环境卫生: [垃圾]\n环境卫生: [垃圾]", "stands twice"),
    ],
)
def test_a_fault_in_the_synonyms_is_told_at_the_start(text: str, place: str, tmp_path: Path) -> None:
    """File, place and remedy, before anything runs."""
    (tmp_path / "synonyms.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(PolicyFaults, match=r"synonyms\.yaml") as raised:
        load_synonyms(tmp_path, ["环境卫生"])

    assert place in str(raised.value)


def test_a_town_without_synonyms_has_none(tmp_path: Path) -> None:
    """The file is optional."""
    assert load_synonyms(tmp_path, ["环境卫生"]) == {}
