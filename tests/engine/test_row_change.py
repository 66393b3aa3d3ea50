"""What changed of a row, put onto any of the rows that the ledger may have, makes the very row as it stands now."""

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from schemas.kernel.row_change import RowChange, RowTold, change_of

NAMES = st.sampled_from(["sign", "finish", "check:tax", "respond"])
VALUES = st.one_of(
    st.none(), st.integers(0, 3), st.sampled_from(["", "a", "b"]), st.lists(st.integers(0, 2), max_size=2)
)
CLOCKS = st.dictionaries(NAMES, st.fixed_dictionaries({"facts": VALUES}), max_size=4)


@st.composite
def rows(draw: st.DrawFn) -> dict[str, Any]:
    """A row in plain values: columns, clocks as shown, and a snapshot with the same clocks."""
    clocks = draw(CLOCKS)
    fields = draw(st.dictionaries(st.sampled_from(["stage", "orders", "terms"]), VALUES, max_size=3))
    columns = {"seq": draw(st.integers(1, 9)), "holder": draw(VALUES), "stage": draw(VALUES)}
    shown = [{"name": name, "due_at": draw(VALUES)} for name in clocks]
    return {**columns, "clocks": shown, "snapshot": {**fields, "clocks": clocks}}


def change_between(before: list[dict[str, Any]], now: dict[str, Any]) -> RowChange | None:
    """As a case works it out."""
    return change_of([told(each) for each in before], told(now))


def told(row: dict[str, Any]) -> RowTold:
    """A row as a case tells it."""
    return RowTold.of(row["seq"], json.dumps(row))


def parts(row: dict[str, Any]) -> set[tuple[str, str]]:
    """What a row consists of, by name."""
    return (
        {("snapshot", name) for name in row["snapshot"]}
        | {("clock", name) for name in row["snapshot"]["clocks"]}
        | {("view", view["name"]) for view in row["clocks"]}
    )


@given(st.lists(rows(), min_size=1, max_size=3), rows())
def test_a_change_makes_the_very_row_of_whatever_it_may_be_put_onto(
    before: list[dict[str, Any]], now: dict[str, Any]
) -> None:
    """Of several that the ledger may have, each; where a part has gone, which no change can say, there is none."""
    change = change_between(before, now)

    assert (change is None) is any(not parts(each) <= parts(now) for each in before)
    if change is not None:
        for each in before:
            made = change.put_onto(each)
            assert {view["name"]: view for view in made.pop("clocks")} == {view["name"]: view for view in now["clocks"]}
            assert made == {name: value for name, value in now.items() if name != "clocks"}


@given(rows())
def test_where_nothing_changed_a_change_says_nothing(row: dict[str, Any]) -> None:
    """The history does not grow by what stands in it already."""
    change = change_between([row], row)

    assert change is not None
    assert change.model_dump(exclude={"digest", "onto"}) == {}


def test_nothing_to_be_put_onto_is_no_change() -> None:
    """A case of which the ledger is not known to have any row tells it whole."""
    assert change_between([], {"seq": 1, "clocks": [], "snapshot": {"clocks": {}}}) is None
