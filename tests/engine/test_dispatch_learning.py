"""Learning which category a text is of: how good it is, that a model holds nobody's words, and that it says the same for ever."""

import hashlib
import random
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.advice.examples import Example
from engine.advice.learning import PEOPLE_AT_LEAST, TooLittle, cross_validated, fitting, learn
from engine.advice.scores import FEW, OTHER, scores_of
from local.real.message_examples import read_examples
from local.real.message_file import ColumnMap
from schemas.advice.dispatch_model import PERMILLE, DispatchModel, Gram
from schemas.advice.grams import CHARACTERS_AT_MOST, grams
from schemas.values.canonical import canonical_json
from tests.advised_town import MATTERS, messages

pytestmark = pytest.mark.timeout(300)
REAL_MESSAGES = Path(__file__).resolve().parents[3] / "shared" / "data" / "messages.csv"


@pytest.fixture(scope="module")
def examples() -> list[Example]:
    return [
        Example(text, category, who, area="320104.001", groups={"channel": "app"}) for text, category, who in messages()
    ]


@pytest.fixture(scope="module")
def model(examples: list[Example]) -> DispatchModel:
    return learn(examples)[0]


def test_digits_and_letters_are_no_grams() -> None:
    """Numbers of phones, cards and cars are left out before anything is counted, in full width and within words too."""
    found = grams("请拨13800000001或１３９联系，车牌苏A12345，微信abc")

    assert all(each.isalpha() and not each.isascii() for each in found)
    assert not any(digit in gram for gram in found for digit in "0123456789０１３９")
    assert "拨或" not in found


def test_first_line_counts_more_and_a_long_text_by_its_beginning() -> None:
    """The subject says what it is about; nobody makes a text more probable by four thousand characters."""
    found = grams("路灯\n路灯" + "路" * 4000)

    assert (found["路灯"], found["灯"]) == (4, 4)
    assert sum(count for gram, count in found.items() if len(gram) == 1) < CHARACTERS_AT_MOST * 3 + 10


def test_a_model_holds_no_word_that_few_people_wrote() -> None:
    """A name that four people wrote a hundred times stands in no model; that of a matter, which many wrote, does."""
    name = "欧阳锋"
    taught = [Example(text, category, who) for text, category, who in messages()]
    secret = [
        Example(f"{MATTERS['环境卫生'][n % 5]}，找{name}{n}", "环境卫生", f"same-{n % (PEOPLE_AT_LEAST - 1)}")
        for n in range(100)
    ]
    found, _ = learn([*taught, *secret])
    kept = canonical_json(found).decode()

    assert "垃圾" in found.grams
    assert [gram for gram in found.grams if gram in name] == []
    assert not any(len(gram) > 3 for gram in found.grams)
    assert name not in kept
    assert "who" not in kept


def test_the_same_examples_in_any_order_give_the_same_model(examples: list[Example], model: DispatchModel) -> None:
    """A model is named by its digest: learning again from the same cases changes nothing."""
    again = [Example(each.text, each.category, f"again-{each.who}", each.area, each.groups) for each in examples[:20]]
    mixed = [*again, *examples]
    random.Random(7).shuffle(mixed)  # noqa: S311 - an order

    assert learn(mixed)[0].sha256 == learn([*examples, *again])[0].sha256
    assert fitting(mixed) == fitting([*examples, *again])
    assert learn(list(reversed(examples)))[0].sha256 == model.sha256


def test_a_model_read_back_says_the_same(model: DispatchModel) -> None:
    """It is kept as canonical JSON: read years later, it is the same model, with the same probabilities to the last thousandth."""
    kept = canonical_json(model)
    back = DispatchModel.model_validate_json(kept)
    texts = [text for text, _, _ in messages()][:20]

    assert hashlib.sha256(kept).hexdigest() == model.sha256 == back.sha256
    assert [back.likelihoods(each) for each in texts] == [model.likelihoods(each) for each in texts]


def test_probabilities_add_up_and_words_come_from_the_text(model: DispatchModel) -> None:
    """Of every category one; the words that spoke stand in the text, none inside of another."""
    text = "楼下垃圾堆了好多天没人清运"
    said = model.likelihoods(text, model.categories)

    assert said[0].category == "环境卫生"
    assert abs(sum(each.permille for each in said) - PERMILLE) <= len(said)
    assert [each.permille for each in said] == sorted((each.permille for each in said), reverse=True)
    assert said[0].words
    assert all(word in text for each in said for word in each.words)
    assert not any(one in other for one in said[0].words for other in said[0].words if one != other)


def test_a_text_of_nothing_known_gets_what_is_usual(model: DispatchModel) -> None:
    """No words, and no category far above the others: nothing that a report would be dispatched by."""
    said = model.likelihoods("hello 123", model.categories)

    assert said[0].permille < 600
    assert all(each.words == () for each in said)


def test_too_little_is_told(examples: list[Example]) -> None:
    """One category is no choice, and ten texts are no experience; the message says what was there."""
    with pytest.raises(TooLittle, match="only 0"):
        fitting(examples[:9])
    with pytest.raises(TooLittle, match="of 1 categories"):
        fitting([each for each in examples if each.category == examples[0].category] * 2)


def test_two_categories_have_weights_for_both() -> None:
    """The library gives one row for two; each of the two is proposed for its own texts."""
    found, scores = learn([Example(*each) for each in messages(per_category=40) if each[1] in {"环境卫生", "供水供电"}])

    assert found.categories == ("供水供电", "环境卫生")
    assert [found.likelihoods(text)[0].category for text in ("停水三天了", "垃圾成堆发臭")] == ["供水供电", "环境卫生"]
    assert scores.whole.first_rate > 0.9


def test_scores_tell_areas_and_groups_apart(examples: list[Example]) -> None:
    """Every text counts once in the whole, its category and its area; where there are too few the line is `other`."""
    fit = fitting([*examples[:-3], *(Example(e.text, e.category, e.who, area="320104.009") for e in examples[-3:])])
    scores = cross_validated(fit)

    assert sum(each.texts for each in scores.by_category.values()) == scores.whole.texts == len(fit)
    assert set(scores.by_area) == {"320104.001", OTHER}
    assert scores.by_area[OTHER].texts == 3 < FEW
    assert [each.texts for each in scores.by_probability] == sorted(
        (each.texts for each in scores.by_probability), reverse=True
    )
    assert scores_of([]).whole.first_rate == 0.0


def test_weights_that_do_not_fit_are_no_model() -> None:
    """What lies in a table may be anything: a model of another shape is refused when it is read."""
    with pytest.raises(ValueError, match="a weight for each category"):
        DispatchModel(categories=("a", "b"), biases=(0, 0), grams={"路": Gram(rarity=1, weights=(1,))})


def test_a_process_of_the_town_does_not_load_the_library() -> None:
    """scikit-learn takes seconds to load: neither the API nor the worker nor a proposal needs it."""
    asks = "print([each for each in ('sklearn', 'numpy', 'scipy') if each in sys.modules])"
    loads = f"import console.serve, worker, starter.incident_proposals, sys; {asks}"
    done = subprocess.run([sys.executable, "-c", loads], capture_output=True, text=True, check=True, timeout=120)

    assert done.stdout.strip() == "[]"


def real_examples() -> Iterator[Example]:
    if not REAL_MESSAGES.exists():
        pytest.skip(f"the real messages are not on this machine ({REAL_MESSAGES.name})")
    categories = {"城乡建设", "环境保护", "交通运输", "教育文体", "劳动和社会保障", "商贸旅游", "卫生计生"}
    yield from read_examples(REAL_MESSAGES, ColumnMap(), {}, categories).examples


def test_real_messages_are_learned_well_enough() -> None:
    """Seven categories of 380 messages: the right one is the first proposal in four of five, and among three in 95 of 100."""
    scores = cross_validated(fitting(list(real_examples())))

    assert scores.whole.texts >= 370
    assert scores.whole.first_rate >= 0.80
    assert scores.whole.first_three_rate >= 0.95
