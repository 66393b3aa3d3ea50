"""The law of orders: each is brought once, what counts no more is taken back, and a department acts by any way alike.

A tiny procedure has the part (schemas/parts/orders.py, workflows/parts/orders.py): work goes to a department, from there back or
to another one, is done, looked at, and perhaps done again.
"""

from collections.abc import AsyncIterator
from typing import ClassVar

import pytest

from schemas.clocks.limits import Limit
from schemas.contracts.department import CallbackAct, ReworkCause
from schemas.contracts.work_orders import Matter, Order
from schemas.kernel.acts import Tells, WithReason, act, file_acts, step
from schemas.kernel.declaration import declare
from schemas.kernel.entries import EntryKinds, entry
from schemas.kernel.parties import COORDINATOR, GRID_WORKER, HOLDING_DEPARTMENT, THE_DEPARTMENT, desk_of
from schemas.kernel.timers import duty, last_limit
from schemas.kernel.words import DeclaredStage
from schemas.parts.orders import (
    GiveBack,
    ReportDone,
    ReworkedState,
    ReworkEntries,
    arriving,
    finishing,
    giving_back,
    signing,
)
from schemas.values.document import DocumentReference
from schemas.values.references import TextReference
from tests.api_driver import Person
from tests.part_bench import PartBench, TinyTerms, days, part_bench
from workflows.kernel.procedure_workflow import procedure_workflow
from workflows.parts.orders import ReworkCase

pytestmark = pytest.mark.timeout(120)

FIRST, SECOND = "urban-management", "justice-office"
OFFICER = Person("officer-cheng", "department_officer", department=FIRST)
ANOTHER = Person("officer-si", "department_officer", department=SECOND)
CENTRE = Person("coordinator-sun", "coordinator")
LOOKS = Person("grid-zhao", "grid_worker")
NOT_OURS = {"reason": "不属于本部门职责", "legal_basis": "《城市管理办法》第三条"}


class Stage(DeclaredStage):
    """Where a tiny case stands."""

    GIVEN = "given", "已派单", "已派单", "given to a department"
    WORKING = "working", "办理中", "正在办理", "a department is at work"
    GIVEN_BACK = "given_back", "已退单", "正在协调", "given back"
    LOOKED_AT = "looked_at", "核查中", "正在核查", "being looked at"
    CLOSED = "closed", "已办结", "已办结", "done"
    CALLED_OFF = "called_off", "已撤销", "已撤销", "called off"
    LAPSED = "lapsed", "逾期终结", "已终结", "ended unfinished"


class Terms(TinyTerms):
    """How fast."""

    sign: Limit = days(1)
    finish: Limit = days(5)


class Job(Order):
    """An order with a note of its own."""

    urgent: bool = False
    shown_by: list[DocumentReference] = []


class OrderedState(ReworkedState[Job]):
    """What it remembers."""

    procedure: ClassVar[str] = "ordered"
    stage: str = Stage.GIVEN
    terms: Terms = Terms()
    what: TextReference


class Return(GiveBack):
    """退单: not ours."""


class Done(ReportDone):
    """办结: done, with what shows it."""


class Kind(ReworkEntries, EntryKinds, procedure="ordered"):
    """What its ledger says."""

    OPENED = entry("opened", "立案")
    SIGNED = entry("signed", "签收")
    ARRIVED = entry("arrived", "到场")
    GIVEN_BACK = entry("given_back", "退单")
    GIVEN_ELSEWHERE = entry("given_elsewhere", "改派")
    DONE = entry("done", "办结")
    ACCEPTED = entry("accepted", "核查通过")
    AGAIN = entry("again", "返工")
    CALLED_OFF = entry("called_off", "撤销")
    LAPSED = entry("lapsed", "逾期终结")


OPEN = (Stage.GIVEN, Stage.WORKING, Stage.GIVEN_BACK, Stage.LOOKED_AT)

ORDERED = declare(
    "ordered",
    "派单小事",
    parent="incident",
    state=OrderedState,
    stages=Stage,
    entries=Kind,
    opened=Kind.OPENED,
    timers={
        "sign": duty("签收", "signing", "sign"),
        "finish": duty("办结", "completion", "finish"),
        "final": last_limit("unresolved_after"),
    },
    lines=(
        signing(
            "sign", "签收", "the department takes it.", Kind.SIGNED, at=Stage.GIVEN, to=Stage.WORKING, stops=["sign"]
        ),
        giving_back(
            Return, "退单", Kind.GIVEN_BACK, at=(Stage.GIVEN, Stage.WORKING), to=Stage.GIVEN_BACK, when=(),
            stops=["sign"], template="order_returned",
        ),
        arriving(Kind.ARRIVED, at=Stage.WORKING, stops=[]),
        finishing(
            Done, Kind.DONE, at=Stage.WORKING, to=Stage.LOOKED_AT, stops=["finish"], holder=desk_of(GRID_WORKER),
            tells=Tells(desk_of(GRID_WORKER), "verification_due"),
        ),
        act(
            WithReason, "改派", name="give_elsewhere", meaning="the other department has to do it.",
            by=COORDINATOR, at=Stage.GIVEN_BACK, to=Stage.GIVEN, entry=Kind.GIVEN_ELSEWHERE,
        ),
        act(
            WithReason, "核查通过", name="accept", meaning="it is done.",
            by=GRID_WORKER, at=Stage.LOOKED_AT, to=Stage.CLOSED, entry=Kind.ACCEPTED,
        ),
        act(
            WithReason, "返工", name="again", meaning="it is not done.",
            by=GRID_WORKER, at=Stage.LOOKED_AT, to=Stage.WORKING, holder=THE_DEPARTMENT, entry=Kind.AGAIN,
        ),
        act(
            WithReason, "撤销", name="call_off", meaning="nobody need do it any more.",
            by=COORDINATOR, at=OPEN, to=Stage.CALLED_OFF, entry=Kind.CALLED_OFF,
        ),
        step("expire", "逾期终结", at=OPEN, to=Stage.LAPSED, entry=Kind.LAPSED, clock="final"),
        *file_acts(Kind, by=(HOLDING_DEPARTMENT, COORDINATOR), at=OPEN, urged_by=(COORDINATOR,)),
    ),
)  # fmt: skip


@procedure_workflow
class Ordered(ReworkCase[OrderedState]):
    """A case that is nothing but an order."""

    procedure = ORDERED
    order_model = Job

    async def story(self) -> None:
        """As long as anything can happen, then until the order is let go of."""
        await super().story()
        await self.order_let_go()

    def reported(self) -> dict[str, object]:
        """What is to be done."""
        return {"what": self.state.what}

    def begin(self) -> None:
        """The first department has it."""
        self.start_clock("finish")
        self.dispatch(FIRST)

    def dispatch(self, department: str) -> None:
        """The next order, to this department."""
        if self.state.orders:
            self.errand("recall_order", self.state.order.number)
        self.next_order(department, urgent=True)
        self.state.department = department
        self.start_clock("sign")
        self.move(Stage.GIVEN, self.address_of(THE_DEPARTMENT))

    def matter(self) -> Matter:
        """What it is about."""
        return Matter(category="小事", urgency="ordinary", description=self.state.what)

    def done(self, command: Done) -> None:
        """Done, with what shows it."""
        self.keep_evidence(command, self.state.order.shown_by)
        self.apply()

    def give_elsewhere(self) -> None:
        """To the other department."""
        self.dispatch(SECOND)
        self.record_command(order=self.state.order.number)

    def again(self, command: WithReason) -> None:
        """The same order once more."""
        self.clocks.go_on("finish", "engine")
        self.ask_again(ReworkCause.VERIFICATION_FAILED, command.reason)
        self.apply()

    def stop_everything(self) -> None:
        """What was not done is taken back."""
        super().stop_everything()
        if self.state.stage != Stage.LOOKED_AT:
            self.take_back_the_order()


@pytest.fixture(scope="module")
async def bench(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[PartBench]:
    """A bench that knows it; every department works at its desk."""
    async with part_bench(tmp_path_factory.mktemp("orders"), Ordered) as opened:
        yield opened


async def opened(bench: PartBench) -> str:
    """A case whose order has come to the first department."""
    case = await bench.open(ORDERED, what="text:00000000000000000000000001")
    await bench.bench.at_rest(case)
    return case


async def test_an_order_is_brought_once_signed_for_and_reported_done(bench: PartBench) -> None:
    """Told of the time as it was given; the documents that show the work stand in the case once each."""
    case = await opened(bench)
    photo = {
        "reference": bench.bench.vault.document(), "sha256": "0" * 64, "size_bytes": 9, "media_type": "image/png",
    }  # fmt: skip
    (job,) = bench.state(case).orders
    assert (job.number, job.department, job.urgent, job.refused) == (1, FIRST, True, None)
    assert set(job.asked.due) == {"sign", "finish"}
    await bench.taken(case, "sign", OFFICER)
    await bench.taken(case, "arrive", OFFICER)
    await bench.taken(case, "done", OFFICER, result="已清运", documents=[photo, photo])
    await bench.taken(case, "accept", LOOKS, reason="现场已清")
    await bench.left_alone(case)

    kinds = [kind for kind, _ in bench.told(case)]
    assert kinds == ["opened", "order_received", "signed", "arrived", "done", "accepted", "ended"]
    assert [each.reference for each in bench.state(case).documents] == [photo["reference"]]
    assert bench.state(case).orders[0].shown_by == [photo["reference"]] * 2
    (signed,) = bench.facts(case, "signed")
    assert signed["department"] == FIRST


async def test_only_the_department_that_holds_it_acts_and_whoever_had_it_sees_it(bench: PartBench) -> None:
    """Given elsewhere, the first department signs no more but still sees the case; its order is taken back."""
    case = await opened(bench)
    stranger = await bench.give(case, "sign", ANOTHER)
    await bench.taken(case, "return", OFFICER, **NOT_OURS)
    assert bench.state(case).holder == "role:coordinator"
    await bench.taken(case, "give_elsewhere", CENTRE, reason="属司法所")
    await bench.bench.at_rest(case)
    no_more = await bench.refused(case, "sign", OFFICER)
    await bench.taken(case, "sign", ANOTHER)

    assert stranger.status_code == 404
    assert "not with your department" in no_more
    assert bench.state(case).involved() == {FIRST, SECOND}
    assert [(each.number, each.recalled) for each in bench.state(case).orders] == [(1, True), (2, False)]
    (recalled,) = bench.facts(case, "order_recalled")
    assert (recalled["order"], recalled["department"], recalled["done"]) == (1, FIRST, True)


async def test_what_is_called_off_is_taken_back_before_the_case_is_gone(bench: PartBench) -> None:
    """The case is final at once; its workflow ends when the order has been taken back."""
    case = await opened(bench)
    await bench.taken(case, "call_off", CENTRE, reason="误报")
    assert bench.state(case).stage == Stage.CALLED_OFF
    await bench.left_alone(case)

    assert [kind for kind, _ in bench.told(case)][-3:] == ["called_off", "order_recalled", "ended"]
    assert bench.state(case).last_recall == 1


async def test_work_that_is_not_done_is_the_same_order_once_more(bench: PartBench) -> None:
    """No new number: the department hears of the same one again, as often as it is not done."""
    case = await opened(bench)
    await bench.taken(case, "sign", OFFICER)
    for _ in range(2):
        await bench.taken(case, "done", OFFICER, result="已清运")
        await bench.taken(case, "again", LOOKS, reason="仍有垃圾")
        await bench.bench.at_rest(case)

    assert [each.number for each in bench.state(case).orders] == [1]
    assert [(facts["order"], facts["rework"]) for facts in bench.facts(case, "rework_received")] == [(1, 1), (1, 2)]
    await bench.left_alone(case)
    assert bench.state(case).stage == Stage.LAPSED


def test_what_a_departments_own_system_reports_are_the_commands_of_the_lines() -> None:
    """Each report of a department is one command, and none of them is anybody else's to give."""
    assert ORDERED.callbacks == {
        CallbackAct.SIGNED: "sign",
        CallbackAct.RETURNED: "return",
        CallbackAct.ARRIVED: "arrive",
        CallbackAct.FINISHED: "done",
    }
    reported = [rule for rule in ORDERED.rules if rule.command in ORDERED.callbacks.values()]
    assert {by for rule in reported for by in rule.by} == {HOLDING_DEPARTMENT}
