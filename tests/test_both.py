"""Words in both languages: one text, which knows itself in each, and comes back whole from wherever only text is kept."""

import copy
import json
import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.values.both import LISTED, Both, chinese_of, described, english_of, together
from schemas.values.refusals import Fault, in_both, say

WORDS = st.text(alphabet="已受理 (环节)、abc12 -;:", max_size=30)


@given(chinese=WORDS, english=st.text(max_size=30).filter(bool))
def test_what_is_said_comes_apart_as_it_was_put_together(chinese: str, english: str) -> None:
    """Every text of `say` splits into its Chinese and its English to the letter, whatever was put into either of them."""
    text = say(chinese, english)
    both = in_both(text)

    assert isinstance(both, Both)
    assert (both, both.zh, both.en) == (text, chinese.replace(" (", "("), english)


@pytest.mark.parametrize("text", ["", "路灯坏了", "路灯坏了(again)", "路灯 (again) 坏了", "路灯坏了 ()"])
def test_what_was_not_said_so_stays_as_it_is(text: str) -> None:
    """Nothing is guessed of a text that does not end as `say` ends."""
    assert type(in_both(text)) is str
    assert in_both(text) == text


def test_who_knows_only_text_sees_no_difference() -> None:
    """Compared, kept, sent and put into a model it is the text that stands there where both languages are shown."""
    both = Both("处置中", "handling", "处置中 handling")

    assert both == "处置中 handling"
    assert json.loads(json.dumps({"stage": both})) == {"stage": "处置中 handling"}
    assert Fault(field="x", reason=both, remedy=both).model_dump()["reason"] == "处置中 handling"
    for again in (copy.deepcopy(both), pickle.loads(pickle.dumps(both))):  # noqa: S301 - what we have just made ourselves
        assert (again, again.zh, again.en) == (both, both.zh, both.en)


def test_texts_are_put_together_in_each_language_by_itself() -> None:
    """A list of words has its own comma in each; a text that somebody wrote stands in both as it is."""
    listed = together(LISTED, ("平安街", Both("城管局", "urban management", "城管局")))

    assert listed == "平安街、城管局"
    assert (chinese_of(listed), english_of(listed)) == ("平安街、城管局", "平安街, urban management")
    assert type(together(" ", ("a", "b"))) is str


def test_a_command_tells_in_english_what_it_is() -> None:
    """What stands in the code as `退单: the department says why.` is told without its Chinese name to whoever reads English."""
    assert english_of(described("退单: the department says why.")) == "The department says why."
    assert chinese_of(described("退单: the department says why.")) == ""
    assert english_of(described("Says: why.")) == "Says: why."
