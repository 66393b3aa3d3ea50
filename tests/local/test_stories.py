"""The stories of `jiceng demo`, two of each procedure (all in `make test-all`) in one town; and the judge of how it went."""

import asyncio
import json
import re
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from engine.keys.keys import Keys
from local.simulation.characters import WORDS, Character
from local.simulation.journals import Journal
from local.simulation.people import live
from local.simulation.simulation import neighbourhood_of
from local.stories.demo import DEMO_SPEED, stage_of
from local.stories.demo_screen import DemoScreen, LinesScreen
from local.stories.playing import Performance, judge_all, play
from local.stories.scenes import Gives
from local.stories.schedule import Schedule
from local.stories.stories import BY_PROCEDURE, REPERTOIRES, STORIES, named
from local.stories.story import Story
from local.stories.verdict import Evidence, Killing, Verdict, judge
from local.town.town import Town, TownAddresses, TownOptions, open_town
from local.town.town_processes import PROCESSES
from schemas.incident import Kind
from schemas.incident_state import Stage
from schemas.kernel.findings import Finding
from schemas.values.actor import Channel, Role
from schemas.words.entry_titles import OF_EVERY_CASE
from starter.cases.views import Answer, Promise, PublicCase, PublicStage, TimelineActor, TimelineEntry
from tests.forked import forked
from tests.sampling import sampled
from tests.waiting import eventually
from workflows.registry import PROCEDURES

pytestmark = pytest.mark.timeout(900)  # the first test waits until all stories are played: a minute and a half, alone

NOON = datetime(2026, 11, 23, 12, tzinfo=timezone(timedelta(hours=8)))
PROJECT = Path(__file__).resolve().parents[2]
CASE = "incident-20261123-000001"


AT_EACH_COMMIT = 8
"""So many stories are played, by the seed: the town with its processes is the same for all."""


@dataclass(frozen=True)
class Played:
    """A town in which every story was played."""

    town: Town
    performances: dict[str, Performance]


def _told(request: pytest.FixtureRequest) -> list[Story]:
    """The stories that a test of this run asks for."""
    asked = {item.callspec.params.get("name") for item in request.session.items if hasattr(item, "callspec")}
    return [story for story in STORIES if story.name in asked]


@pytest.fixture(scope="module")
async def played(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Played]:
    """A whole town in processes of its own, as `jiceng demo` has it; all stories at once that are asked for."""
    stories = _told(request)
    async with played_town(tmp_path_factory.mktemp("stories")) as town:
        async with stage_of(town) as (where, audit):
            performances = await play(stories, where, DemoScreen())
            await judge_all(performances, where, audit)
            for number, late in enumerate(performances):  # as the demo has it: a busy machine is excused once
                if late.merely_late:
                    [performances[number]] = await play([late.story], where, DemoScreen())
                    await judge_all(performances[number : number + 1], where, audit)
        yield Played(town, {performance.story.name: performance for performance in performances})


@asynccontextmanager
async def played_town(folder: Path) -> AsyncIterator[Town]:
    """A town with simulated departments and people, watched while the block runs."""
    async with open_town(
        TownOptions(data=folder, speed=DEMO_SPEED, demo=True, durable=False, processes=forked(PROCESSES))
    ) as town:
        watching = asyncio.create_task(town.supervisor.watch())
        try:
            yield town
        finally:
            watching.cancel()
            await asyncio.gather(watching, return_exceptions=True)


@pytest.mark.parametrize(
    "name",
    sampled([story.name for told in REPERTOIRES.values() for story in told.stories], AT_EACH_COMMIT, "stories"),
)
async def test_story_goes_as_it_is_told(played: Played, name: str) -> None:
    """Path, entries, journals of the departments, chain and replay are what the story says; the work is done once."""
    performance = played.performances[name]

    assert performance.fault is None
    assert performance.verdict is not None
    assert performance.verdict.faults == ()


@pytest.mark.long
async def test_people_who_live_twice_act_once(played: Played) -> None:
    """A second crowd of the same people, beside the first, changes nothing: their acts are the same acts."""
    settings = played.town.settings
    crowd = asyncio.create_task(live(neighbourhood_of(settings, Keys.load(settings.key_folder))))
    async with stage_of(played.town) as (where, audit):
        performances = await play(named("not-solved-twice,off-the-list,returned"), where, DemoScreen())
        await judge_all(performances, where, audit)
    assert not crowd.done()
    crowd.cancel()
    await asyncio.gather(crowd, return_exceptions=True)

    late = ("clock:breach", "clock:tier")  # two crowds on two cores are slower than one; late is not twice
    faults = [fault for each in performances if each.verdict for fault in each.verdict.faults]
    assert [fault for fault in faults if not fault.startswith(late)] == []
    assert [each.fault for each in performances] == [None] * 3


@pytest.mark.long
async def test_demo_as_a_command_plays_prints_and_ends() -> None:
    """`jiceng demo --once --json` prints one JSON document, without escape codes, and its exit code says how it went."""
    command = (sys.executable, "-m", "cli", "demo", "--once", "--json", "--only", "prompt,withdrawn")
    process = await asyncio.create_subprocess_exec(
        *command, cwd=PROJECT, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    out, err = await process.communicate()

    assert process.returncode == 0, f"{out.decode()}\n{err.decode()[-2000:]}"
    document = json.loads(out)
    assert [(story["story"], story["ok"]) for story in document["stories"]] == [("prompt", True), ("withdrawn", True)]
    assert b"\x1b" not in out


# ---- the stories themselves -----------------------------------------------------------------------------------------


def test_stories_tell_of_stages_and_entries_that_there_are() -> None:
    """Names are unique, paths follow the table of the procedure, and every direction is one that somebody understands."""
    rules = [rule for each in PROCEDURES for rule in each.procedure.rules]
    ways = {(at, to) for rule in rules for at in rule.at for to in rule.to}
    stories = [each for story in STORIES for each in (story, *story.also)]
    assert len({story.name for story in stories}) == len(stories)
    assert not {story.name for story in stories} & set(BY_PROCEDURE)
    for story in stories:
        assert set(zip(story.path, story.path[1:], strict=False)) <= ways, story.name
        assert {part.split()[-1] for part in story.departments.split(";")} <= set(WORDS)


def test_what_is_given_in_a_scene_is_a_command_of_the_table() -> None:
    """A scene names a command, and one that the person's role may give; what it waits for is something that happens."""
    happens = set(OF_EVERY_CASE).union(*(each.procedure.titles for each in PROCEDURES))
    for story in STORIES:
        for scene in (scene for scene in story.scenes if isinstance(scene, Gives)):
            rules = [rule for each in PROCEDURES for rule in each.procedure.rules if rule.command == scene.command]
            assert scene.by.role in {by.role for rule in rules for by in rule.by}, (story.name, scene.command)
            assert scene.after in happens, story.name


def test_every_character_of_a_department_has_its_story() -> None:
    """What simulated departments can do is told in some story, but for slowness and refusal, which tests of theirs show."""
    told = {WORDS[part.split()[-1]] for story in STORIES for part in story.departments.split(";")}

    assert told == set(Character) - {Character.SLOW, Character.REFUSING}


def test_stories_are_chosen_by_name_and_a_wrong_name_names_the_right_ones() -> None:
    """`--only` takes names of stories and of procedures separated by commas, each story once, in the order given."""
    assert [story.name for story in named("silent, prompt,silent")] == ["silent", "prompt"]
    assert named(None) == tuple(story for story in STORIES if not story.asked_for)
    assert {story.name for story in named("mediation")} > {
        story.name for story in named(None) if "mediation" in story.name
    }
    assert [story.name for story in named("prompt,incident")][:2] == ["prompt", "emergency"]
    assert named("incident") == BY_PROCEDURE["incident"]
    with pytest.raises(ValueError, match="no story sulking; there are: prompt"):
        named("sulking")


async def test_a_killing_waits_for_those_who_mind_delay() -> None:
    """Others wait for who is in a hurry; the worker is killed only when no clock is running that must not run out."""
    prompt, late, killed, emergency = named("prompt,extension-refused,worker-killed,emergency")
    order = Schedule([prompt, late, killed, emergency])
    going: list[str] = []

    async def take_turn(story: Story, until: asyncio.Event) -> None:
        async with order.turn_of(story):
            going.append(story.name)
            await until.wait()

    over = asyncio.Event()
    tasks = [asyncio.create_task(take_turn(story, over)) for story in (killed, prompt, emergency, late)]
    await eventually(lambda: bool(going))
    assert going == ["extension-refused"]  # not rehearsed yet
    order.rehearsed()
    await eventually(lambda: going == ["extension-refused", "emergency"])
    over.set()
    await asyncio.gather(*tasks)
    assert going == ["extension-refused", "emergency", "prompt", "worker-killed"]


async def test_a_killing_waits_for_clocks_that_run_fast() -> None:
    """The seconds for which a worker is dead are months by a story's own clock."""
    killed, twelve = named("worker-killed,welfare-twelve-payments")
    order = Schedule([killed, twelve])
    order.rehearsed()
    turn = asyncio.create_task(order.turn_of(killed).__aenter__())
    async with order.turn_of(twelve):
        done, _ = await asyncio.wait([turn], timeout=0.05)
    await asyncio.wait_for(turn, 30)

    assert not done
    assert not twelve.minds_delay


async def test_a_clock_of_its_own_does_not_run_while_processes_load() -> None:
    """A story with a fast clock of its own forgives lateness, and waits for the rehearsal all the same."""
    [unresolved] = named("unresolved")
    order = Schedule([unresolved])
    turn = asyncio.create_task(order.turn_of(unresolved).__aenter__())
    done, _ = await asyncio.wait([turn], timeout=0.05)
    order.rehearsed()
    await asyncio.wait_for(turn, 30)

    assert not done
    assert not unresolved.minds_delay


# ---- the judge ------------------------------------------------------------------------------------------------------


def entry(seq: int, kind: str, **facts: Any) -> TimelineEntry:
    actor = TimelineActor(role=Role.ENGINE, department=None, channel=Channel.APP)
    at = NOON + timedelta(hours=seq)
    return TimelineEntry(seq=seq, at=at, actor=actor, kind=kind, title=kind, facts=facts, hash=str(seq))


def journal(**changes: Any) -> Journal:
    reports = [{"act": act, "acknowledged": 1} for act in ("signed", "arrived", "finished")]
    asked = [{"method": "POST", "outcome": "new"}]
    return {"work_done": 1, "requests": asked, "reports": reports, "stopped": None, "recalled": False} | changes


def evidence(**changes: Any) -> Evidence:
    """Everything went as the prompt story tells."""
    kinds = [Kind.REPORTED, Kind.DISPATCHED, Kind.ORDER_RECEIVED, Kind.SIGNED, Kind.ARRIVED, Kind.FINISHED]
    kinds += [Kind.VERIFIED, Kind.RATED, Kind.CLOSED]
    fields: dict[str, Any] = {
        "case_id": CASE,
        "entries": [entry(seq, kind) for seq, kind in enumerate(kinds, start=1)],
        "journals": {f"{CASE}.order-1": ("urban-management", journal())},
        "findings": [Finding(case_id=CASE, check=check, ok=True) for check in ("ledger", "replay")],
    }
    return Evidence(**(fields | changes))


PROMPT = named("prompt")[0]
WHOLE = evidence()
TAMPERED: dict[str, dict[str, Any]] = {
    "the work was done 2 times": {"journals": {f"{CASE}.order-1": ("urban-management", journal(work_done=2))}},
    "went to transport": {"journals": {f"{CASE}.order-1": ("transport", journal())}},
    "reports acknowledged": {"journals": {f"{CASE}.order-1": ("urban-management", journal(reports=[]))}},
    "refused for good": {"journals": {f"{CASE}.order-1": ("urban-management", journal(stopped="409"))}},
    "0 orders in": {"journals": {}},
    "path reported": {"entries": WHOLE.entries[:-1]},
    "incident:signed 2 times": {"entries": [*WHOLE.entries, entry(10, Kind.SIGNED)]},
    "clock:breach 1 times, told never": {
        "entries": [*WHOLE.entries, entry(10, "clock:breach", clock="sign", moment="breach")]
    },
    "the timeline has gaps": {"entries": [*WHOLE.entries[:-1], entry(10, Kind.CLOSED)]},
    "ledger: broken": {"findings": [*WHOLE.findings, Finding(case_id=CASE, check="ledger", ok=False, detail="broken")]},
    "replay: was not checked": {"findings": WHOLE.findings[:1]},
    "ledger: was not checked": {"findings": [Finding(case_id="another", check="ledger", ok=True), WHOLE.findings[1]]},
}


def test_the_judge_finds_nothing_where_nothing_is_wrong() -> None:
    """Evidence that says what the story says is no fault; so the faults below come from what was altered."""
    verdict = judge(PROMPT, WHOLE)

    assert (verdict.ok, verdict.faults, verdict.path) == (True, (), PROMPT.path)


@pytest.mark.parametrize("fault", TAMPERED)
def test_the_judge_finds_what_is_not_as_told(fault: str) -> None:
    """Each piece of evidence that differs from the story is a fault that names it: nothing is taken on trust."""
    verdict = judge(PROMPT, evidence(**TAMPERED[fault]))

    assert not verdict.ok
    assert any(fault in found for found in verdict.faults)


@pytest.mark.parametrize(
    ("killing", "fault"),
    [
        (None, "nothing was killed"),
        (Killing(1, None, 3), "no other process"),
        (Killing(1, 1, 3), "no other process"),
        (Killing(1, 2, 9), "nothing happened after"),
        (Killing(1, 2, 3), None),
    ],
)
def test_a_killing_must_have_happened_and_the_case_gone_on(killing: Killing | None, fault: str | None) -> None:
    """A story of a killed worker is only true if a process died, another took its place, and the case went on."""
    faults = judge(replace(PROMPT, kills_worker=True), evidence(killing=killing)).faults

    assert [found[: len(fault or "")] for found in faults] == ([fault] if fault else [])


def test_only_a_story_that_was_late_and_nothing_else_is_played_again() -> None:
    """A busy machine excuses lateness once; it excuses no other fault, and there is nothing to excuse where all is well."""
    late, double = "clock:breach 1 times, told never", "order 1: the work was done 2 times"
    looked = "who follows the case looked late and saw closed, told dispatched > closed"
    told = ((late,), (looked,), (late, double), (double,), ())
    excused = [Verdict((), timedelta(0), faults).merely_late for faults in told]

    assert excused == [True, True, False, False, False]


def test_tiers_that_come_in_another_order_are_a_fault() -> None:
    """A silent department is told of by every moment of its clock, in order, and by none too many."""
    moments = ("warning", "breach", "tier:1", "tier:2")
    told = replace(PROMPT, moments={"sign": moments}, never=frozenset())

    def faults(*came: str) -> tuple[str, ...]:
        later = [entry(seq, "clock:x", clock="sign", moment=moment) for seq, moment in enumerate(came, start=10)]
        return judge(told, evidence(entries=[*WHOLE.entries, *later])).faults

    assert faults(*moments) == ()
    assert len(faults()) == 1
    assert len(faults(*reversed(moments))) == 1
    assert len(faults(*moments[:3])) == 1


def glimpse(
    stage: Stage, *, answered: bool = False, kept: bool | None = None, follows: Stage | None = None
) -> PublicCase:
    """What somebody with number and code is shown."""
    done = NOON if kept is not None else None
    promise = Promise(clock="finish", zh="办理完毕", en="it is dealt with", due_at=NOON, done_at=done, kept=kept)
    case: dict[str, Any] = {"case_id": CASE, "procedure": "incident", "title": "事件处置"}
    case |= {"closed_at": None, "next_due": None if done else NOON, "promised": [promise]}
    other = follows and PublicStage(**case, stage=follows, stage_zh=follows, stage_en=follows)
    answers = [Answer(department="urban-management", text="已清运")] if answered else []
    return PublicCase(
        **case, stage=stage, stage_zh=stage, stage_en=stage, opened_at=NOON, answers=answers, follows=other
    )


SHOWN = [
    glimpse(Stage.DISPATCHED),
    glimpse(Stage.HANDLING),
    glimpse(Stage.HANDLING),
    *(glimpse(stage, answered=True, kept=True) for stage in (Stage.VERIFYING, Stage.CALLING_BACK, Stage.CLOSED)),
]


@pytest.mark.parametrize(
    ("shown", "fault"),
    [
        (SHOWN, None),
        ([], "who follows the case saw nothing"),
        ([*SHOWN[:1], *SHOWN[3:]], "who follows the case looked late and saw dispatched > verifying"),
        ([*SHOWN[1:3], SHOWN[0], *SHOWN[3:]], "who follows the case saw handling > dispatched"),
        ([*SHOWN[:3], glimpse(Stage.VERIFYING, kept=True), *SHOWN[4:]], "at verifying who follows the case saw 0"),
        ([glimpse(Stage.DISPATCHED, answered=True), *SHOWN[1:]], "at dispatched who follows the case saw 1"),
        ([SHOWN[0].model_copy(update={"next_due": None}), *SHOWN[1:]], "at dispatched something is owed"),
        ([*SHOWN[:5], glimpse(Stage.CLOSED, answered=True, kept=False)], "who follows the case did not see at the end"),
    ],
    ids=[
        "whole",
        "nothing",
        "a stage missed",
        "another order",
        "no answer",
        "an answer too early",
        "nothing due",
        "not kept",
    ],
)
def test_who_follows_a_case_must_have_seen_every_step(shown: list[PublicCase], fault: str | None) -> None:
    """Stage by stage, what is due while work is owed, the answer once it stands, and that what was promised was kept."""
    faults = judge(replace(PROMPT, followed=True), evidence(glimpses=shown)).faults

    assert [found[: len(fault or "")] for found in faults][:1] == ([fault] if fault else [])


@pytest.mark.parametrize(("follows", "ok"), [(Stage.CLOSED, True), (Stage.HANDLING, False), (None, False)])
def test_who_reported_a_merged_case_must_see_the_end_of_the_other(follows: Stage | None, *, ok: bool) -> None:
    """Number and code of the second report lead to the close of the first."""
    shown = [glimpse(Stage.MERGED, follows=Stage.HANDLING), glimpse(Stage.MERGED, follows=follows)]

    assert judge(replace(PROMPT, goes_into_another=True), evidence(glimpses=shown)).ok is ok


def test_a_story_is_as_good_as_the_cases_that_came_up_in_it() -> None:
    """A fault of a further case is a fault of the story, named after it; only lateness everywhere is merely late."""
    late, wrong = ("clock:breach 1 times, told never",), ("the timeline has gaps",)
    second = replace(PROMPT, name="second")

    def played(own: tuple[str, ...], other: tuple[str, ...]) -> Performance:
        also = [Performance(second, CASE, verdict=Verdict((), timedelta(0), other))]
        return Performance(PROMPT, CASE, also=also, verdict=Verdict((), timedelta(0), own))

    assert (played((), ()).ok, played((), wrong).ok, played((), ()).merely_late) == (True, False, False)
    assert played(late, wrong).faults == [*late, f"second: {wrong[0]}"]
    assert [played(late, late).merely_late, played((), late).merely_late, played(late, wrong).merely_late] == [
        True,
        True,
        False,
    ]


def test_a_case_of_which_nothing_stands_is_a_fault() -> None:
    """Without a single entry nobody can say how it went."""
    assert judge(PROMPT, evidence(entries=[])).faults == ("the timeline is empty",)


def test_the_second_not_solved_leads_to_the_coordinator() -> None:
    """The path is read from the entries: not solved goes back to handling once, then it is returned."""
    asked = [entry(1, Kind.VERIFIED), entry(2, Kind.RATED, solved="not")] * 2

    assert REPERTOIRES["incident"].path_of(asked) == (
        Stage.CALLING_BACK, Stage.HANDLING, Stage.CALLING_BACK, Stage.RETURNED,
    )  # fmt: skip


# ---- the screen -----------------------------------------------------------------------------------------------------


def test_without_a_terminal_there_are_readable_lines(tmp_path: Path) -> None:
    """Into a file or a pipe go lines with story, case and what happened, a table with the fault, and no escape code."""
    file = tmp_path / "out.txt"
    performance = Performance(PROMPT, CASE, verdict=judge(PROMPT, evidence(journals={})))
    addresses = TownAddresses(api="http://a", temporal="t", temporal_ui="http://ui", postgres="secret", data="d")
    with file.open("w", encoding="utf-8") as out:
        screen = LinesScreen(Console(file=out, width=160))
        screen.happened(PROMPT, CASE, WHOLE.entries[3], timedelta(hours=27, minutes=5))
        screen.verdicts([performance])
        screen.staying([performance], addresses)
    text = file.read_text(encoding="utf-8")

    assert re.search(rf"1d 03:05 +prompt +{CASE} .*signed", text)
    assert "✗" in text
    assert "0 orders in the departments' journals" in text
    assert f"http://ui/namespaces/default/workflows/{CASE}" in text
    assert "\x1b" not in text
    assert "secret" not in text


def test_what_two_procedures_call_otherwise_stands_under_both_words(tmp_path: Path) -> None:
    """An incident is 已结案 and a project 已结项, both `closed`: each in its own line, and both in the legend."""
    project, file = named("contest-paid-by-the-bank")[0], tmp_path / "out.txt"
    ended = evidence(entries=[entry(1, "contest:proposed"), entry(2, "case:ended", stage="closed")], journals={})
    performances = [
        Performance(PROMPT, CASE, verdict=judge(PROMPT, WHOLE)),
        Performance(project, CASE, verdict=judge(project, ended)),
    ]
    with file.open("w", encoding="utf-8") as out:
        LinesScreen(Console(file=out, width=160)).verdicts(performances)
    lines = file.read_text(encoding="utf-8").splitlines()
    (played,) = [line for line in lines if project.name in line and "✗" in line and CASE in line and "│" in line]
    (legend,) = [line for line in lines if " · " in line]

    assert "已结项" in played
    assert "已结案" not in played
    assert [word for word in legend.split(" · ") if word.endswith(" closed")] == ["已结案 closed", "已结项 closed"]
