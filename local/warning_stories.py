"""The stories of warnings: those of their walks (local/warning_walks.py), and two whose people are moved, door by door.

The sweep is a case of its own: its team goes to each door, and sees each household home. The clock is slow: whoever is called
answers within minutes. Each of the two has a place of its own, for a list of a place is moved by one warning at a time.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from local.stories.scenes import Scene
from local.stories.story import LATE, NEVER, SPRING, ChildExpectation, OwnClock, Repertoire, Story, Title
from local.stories.walk_stories import ENDED, Goes, WalkStory, repertoire_of
from local.stories.walks import walk
from local.warning_scenes import AtTheDoors, GoesHome, InTheWarning, Place, Said, SeenAgainAndCounted, door
from local.warning_walks import MOVED, OPENING, PEOPLE, WALKS
from schemas.sweep import Kind as SweepKind
from schemas.warning import WARNING, Kind
from schemas.warning_state import Stage

SPEED = 30
"""A minute is two seconds: five of them has whoever is called."""

TEAM: Said = ("grid_worker", "set_out", {"team": [PEOPLE["deputy"].subject]})
ALONG: Said = ("deputy", "set_out", {})
REPORTED: Said = ("grid_worker", "report_swept", {"unsafe": []})
WORSE: Said = ("street_officer", "raise_level", WALKS.bodies["raise_level"])

RIVERSIDE = Place(
    "riverside-low", str(OPENING["area"]), {"riverside-01": 3, "riverside-02": 1}, "riverside-01", "grid_worker"
)
SLOPE = Place("slope-south", "320104.003.02", {"slope-01": 2, "slope-02": 6}, "slope-02", "deputy")


def _moved(  # noqa: PLR0917 - a story and what it is judged by
    name: str,
    title: Title,
    place: Place,
    scenes: Sequence[Scene],
    counts: Mapping[Any, int],
    at_the_doors: Sequence[str],
    *,
    asked_for: bool = False,
) -> Story:
    """An orange warning, until everybody is back."""
    answered = {"point": place.point}
    way = walk(
        name,
        f"{place.answered_by} acknowledge_call, {MOVED}, clerk open_shelter",
        Stage.MOVING,
        acknowledge_call=answered,
    )
    called = Goes(procedure=WARNING, walks=replace(WALKS, speed=SPEED), walk=way)
    return WalkStory(
        name=f"warning-{name.replace(' ', '-')}",
        title=title,
        procedure=WARNING,
        opening={**OPENING, "area": place.area},
        path=(Stage.CLOSED,),
        counts={Kind.CALLED: 1, Kind.ORDERED: 1, Kind.SWEEP_STANDS: 1, Kind.SWEPT: 1, Kind.ALL_BACK: 1, **counts},
        never=(NEVER - LATE) | {Kind.ORDERED_BY_ITSELF, Kind.SWEEP_GONE, Kind.CALLED_AGAIN},
        scenes=(called, *scenes, SeenAgainAndCounted(place=place), GoesHome(place=place)),
        children={
            "sweep-1": ChildExpectation(
                (SweepKind.SET_OUT, SweepKind.SET_OUT, *at_the_doors, SweepKind.SWEPT, SweepKind.BACK)
            )
        },
        ends_with=ENDED,
        clock=OwnClock(SPRING, SPEED),
        reporter=PEOPLE[WALKS.starter],
        asked_for=asked_for,
    )


_told = repertoire_of(WARNING, replace(WALKS, speed=SPEED))
REPERTOIRE: Repertoire = replace(
    _told,
    stories=(
        *_told.stories,
        _moved(
            "moved and back home",
            Title(zh="橙色预警:叫应、逐户转移、安置点清点、准返", en="an orange: called, moved door by door, counted, and home"),
            RIVERSIDE,
            (
                AtTheDoors(
                    way=(
                        TEAM,
                        ALONG,
                        door("riverside-01", "moved", 3, "全家随车到活动中心"),
                        door("riverside-02", "with_relatives", 1, "女儿接走,已通电话核实"),
                        REPORTED,
                    )
                ),
            ),
            {Kind.LEVEL: 0},
            (SweepKind.DOOR,) * 2,
        ),
        _moved(
            "worse while one refuses",
            Title(zh="一户拒绝、依法带离;途中升红色,再加一户", en="one is taken out under the law; red adds one more"),
            SLOPE,
            (
                AtTheDoors(
                    way=(
                        TEAM,
                        ALONG,
                        door("slope-01", "refused", 0, "说水上不来"),
                        ("street_officer", "persuade", {"item": "slope-01", "words": "街道干部再次上门"}),
                        door("slope-01", "refused", 0, "仍不愿走"),
                    )
                ),
                InTheWarning(way=(WORSE,)),
                AtTheDoors(
                    when=SweepKind.ADDED,
                    way=(
                        (
                            "street_officer",
                            "order_removal",
                            {"item": "slope-01", "police_order": "JJ-2026-0031", "reason": "坡脚已开裂"},
                        ),
                        door("slope-01", "moved", 2, "民警协助带离", by="deputy"),
                        door("slope-02", "must_be_carried", 0, "老人卧床,须担架"),
                        door("slope-02", "moved", 6, "担架抬到活动中心"),
                        REPORTED,
                    ),
                ),
            ),
            {Kind.LEVEL: 1, Kind.MOVED_BY_LEVEL: 1},
            (
                SweepKind.DOOR, SweepKind.PERSUADED, SweepKind.DOOR, SweepKind.ADDED, SweepKind.REMOVAL_ORDERED,
                *(SweepKind.DOOR,) * 3,
            ),
            asked_for=True,
        ),
    ),
    starts={Kind.SWEEP_STANDS: "sweep"},
)  # fmt: skip
