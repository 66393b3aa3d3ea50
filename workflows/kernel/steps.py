"""The outside acts of a case, as verbs. Every timeout and retry policy of the procedures stands here and nowhere else.

The more constrained this interface is, the easier it is to test, to version and to change.
"""

from collections.abc import Awaitable, Callable, Iterable
from datetime import timedelta
from typing import Any, NamedTuple, TypeVar

from temporalio import workflow
from temporalio.common import (
    RetryPolicy,
    SearchAttributeKey,
    SearchAttributePair,
    TypedSearchAttributes,
    WorkflowIDReusePolicy,
)
from temporalio.exceptions import (
    ActivityError,
    ApplicationError,
    FailureError,
    WorkflowAlreadyStartedError,
    is_cancelled_exception,
)

with workflow.unsafe.imports_passed_through():
    from activities.ballots import BallotBoxes
    from activities.calls import Calls
    from activities.children import Children
    from activities.departments import Departments
    from activities.incoming import Incoming
    from activities.ledger import Ledger
    from activities.means import PENDING as SOURCE_NOT_READY
    from activities.means import MeansChecks
    from activities.payments import PENDING as BANK_NOT_READY
    from activities.payments import Payments
    from activities.reservations import Reservations
    from schemas.audit.ledger import Batch, FlushReceipt
    from schemas.clocks.clocks import ClockView, Status
    from schemas.contracts.ballot_box import (
        BoxStatus,
        CloseVote,
        OpenVote,
        StrikeInBox,
        StruckInBox,
        VoteOpened,
        VoteTally,
    )
    from schemas.contracts.calls import CallAsk, CallStatus, CallWord, Dial, Dialled, SendText, TextSent
    from schemas.contracts.department import (
        Gateway,
        OrderReceipt,
        PlaceOrder,
        RecallOrder,
        RecallReceipt,
        ReworkOrder,
        ReworkReceipt,
    )
    from schemas.contracts.incoming import IncomingAnswer, IncomingAsk
    from schemas.contracts.means import CheckAnswer, CheckRequest, CheckStatus
    from schemas.contracts.payment import PaymentStatus, PayReceipt, PayRequest, PayStatus, StatusRequest
    from schemas.contracts.question import Answer, Question
    from schemas.contracts.reserved_units import ReleaseAsk, ReserveAsk, ReserveReceipt, ReserveStatus
    from schemas.kernel.case import CaseState, Message, can_be_case_id
    from schemas.kernel.child_number import ChildNumber, ChildStanding
    from schemas.kernel.out_of_place import TELLS_REFUSED, found_out_of_place
    from schemas.kernel.procedure import Procedure
    from schemas.kernel.screen_words import ScreenWords, holder_words
    from schemas.kernel.temporal_display import TASK_TIMEOUT, details_of, first_keywords_of, keywords_of, summary_of
    from schemas.values.search_attributes import AREA, DEPARTMENT, HOLDER, STAGE

RequestT = TypeVar("RequestT", bound=Question)
ReceiptT = TypeVar("ReceiptT", bound=Answer)
AnswerT = TypeVar("AnswerT", CheckAnswer, PayReceipt, PaymentStatus, VoteOpened, VoteTally, StruckInBox, IncomingAnswer)


class _Patience(NamedTuple):
    """For how long somebody outside is asked: one attempt, all of them together, and how soon the next one comes."""

    attempt: timedelta
    altogether: timedelta
    retry: RetryPolicy


# No schedule-to-close: while Postgres is away the flush tries again without an end, and nothing is dropped. Waits longer
# than the local threshold become timers, so that an outage does not fill the history with task heartbeats.
_FLUSH_RETRY = RetryPolicy(initial_interval=timedelta(milliseconds=100), maximum_interval=timedelta(seconds=20))
_FLUSH_ATTEMPT = timedelta(seconds=10)
_FLUSH_WAITS_LOCALLY = timedelta(seconds=2)

# A department that cannot be reached is tried for a day; meanwhile its clocks run, and then a person is told.
_DEPARTMENT = _Patience(
    attempt=timedelta(seconds=30),
    altogether=timedelta(days=1),
    retry=RetryPolicy(initial_interval=timedelta(seconds=1), maximum_interval=timedelta(minutes=5)),
)

# A source or a bank may be away or busy for days; then a person is told, and the question stands under the same key. One
# call may wait for a place, for the batch before it, and for its answer.
_OUTSIDE_RETRY = RetryPolicy(initial_interval=timedelta(seconds=1), maximum_interval=timedelta(minutes=5))
_OUTSIDE_ATTEMPT = timedelta(minutes=2)
_OUTSIDE_ALTOGETHER = timedelta(days=1)

# Somebody waits for help: a gateway that does not answer within these seconds is given up, and people call by hand.
_CALL = _Patience(
    attempt=timedelta(seconds=15),
    altogether=timedelta(seconds=40),
    retry=RetryPolicy(initial_interval=timedelta(seconds=1), maximum_interval=timedelta(seconds=5)),
)

# The other case answers within a workflow task or two, if it still lives and a worker runs. Real time.
_CASE_ANSWERS_WITHIN = timedelta(hours=1)

# Temporal and Postgres are both near; while one of them is away it is tried again without an end.
_NUMBER_ATTEMPT = timedelta(seconds=10)
_NUMBER_RETRY = RetryPolicy(initial_interval=timedelta(seconds=1), maximum_interval=timedelta(seconds=20))

# Who takes a child's number again and again makes its parent wait longer and longer, and its history no longer.
_NUMBER_PAUSE_FIRST = timedelta(seconds=1)
_NUMBER_PAUSE_MAX = timedelta(minutes=10)

A_CHILD_IS_OF_ITS_PARENT = "a-child-is-of-its-parent"
"""Patch: before, whatever stood under the number of a child was taken for the child. Asked for only where something does."""

# Longer than most cases live; where one outlives it, a workflow task comes in which nothing happens.
_BOUNDARY = timedelta(days=365)

_KEYWORDS = {name: SearchAttributeKey.for_keyword(name) for name in (STAGE, DEPARTMENT, HOLDER, AREA)}


async def flush(batch: Batch) -> FlushReceipt:
    """Write all that is pending into the ledger, in the same workflow task as the command that caused it."""
    return await workflow.execute_local_activity_method(
        Ledger.flush,
        batch,
        start_to_close_timeout=_FLUSH_ATTEMPT,
        retry_policy=_FLUSH_RETRY,
        local_retry_threshold=_FLUSH_WAITS_LOCALLY,
        summary=_entries(batch),
    )


async def place_order(order: PlaceOrder) -> OrderReceipt:
    """Hand a work order to its department. After a day without an answer: not accepted, with the code `unreachable`."""
    undelivered = OrderReceipt(
        order_id=order.order_id,
        department=order.department,
        gateway=Gateway.HTTP,
        accepted=False,
        code="unreachable",
        reason="not delivered within the time for delivery",
    )
    summary = f"派单 {_short(order.order_id)} → {order.department}"
    return await _ask_in_time(Departments.place_order, order, summary, undelivered, _DEPARTMENT)


async def recall_order(recall: RecallOrder) -> RecallReceipt:
    """Take a work order back from a department that no longer holds the case. After a day: not done, `unreachable`."""
    undelivered = RecallReceipt(order_id=recall.order_id, department=recall.department, done=False, code="unreachable")
    summary = f"撤回派单 {_short(recall.order_id)} ← {recall.department}"
    return await _ask_in_time(Departments.recall_order, recall, summary, undelivered, _DEPARTMENT)


async def rework_order(rework: ReworkOrder) -> ReworkReceipt:
    """Ask a department to do its work again. After a day without an answer: not accepted, `unreachable`."""
    undelivered = ReworkReceipt(
        order_id=rework.order_id, department=rework.department, accepted=False, code="unreachable"
    )
    summary = f"返工 {rework.number} {_short(rework.order_id)} → {rework.department}"
    return await _ask_in_time(Departments.rework_order, rework, summary, undelivered, _DEPARTMENT)


async def _ask_in_time(
    act: Callable[[Any, RequestT], Awaitable[ReceiptT]],
    request: RequestT,
    summary: str,
    unanswered: ReceiptT,
    patience: _Patience,
) -> ReceiptT:
    """Call somebody outside; what is not answered in time comes back as `unanswered`, never as an endless retry."""
    try:
        answer = await workflow.execute_activity_method(
            act,
            request,
            start_to_close_timeout=patience.attempt,
            schedule_to_close_timeout=patience.altogether,
            retry_policy=patience.retry,
            summary=summary,
        )
    except ActivityError as error:
        if is_cancelled_exception(error):
            raise
        return unanswered
    return answer if is_answer_to(request, answer) else unanswered


async def ask_source(request: CheckRequest) -> CheckAnswer:
    """Ask a source of means. What nobody answers in a day comes back as UNREACHABLE, `pending` when it was being worked on."""
    unanswered = CheckAnswer(check=request.check, number=request.number, status=CheckStatus.UNREACHABLE)
    summary = f"核对 {request.check} 第{request.number}次"
    return await _ask_outside(MeansChecks.ask_source, request, summary, unanswered)


async def pay(request: PayRequest) -> PayReceipt:
    """Pay once. UNREACHABLE: nobody knows whether the money moved; ask for the status, or pay again under the same key."""
    unanswered = PayReceipt(payment_key=request.payment_key, status=PayStatus.UNREACHABLE)
    return await _ask_outside(Payments.pay, request, f"发放 {request.benefit} {request.month}", unanswered)


async def payment_status(request: StatusRequest) -> PaymentStatus:
    """Ask the bank what became of a payment. UNREACHABLE: it did not say in a day."""
    unanswered = PaymentStatus(payment_key=request.payment_key, status=PayStatus.UNREACHABLE)
    return await _ask_outside(Payments.payment_status, request, "查询发放结果 payment status", unanswered)


async def open_vote(request: OpenVote) -> VoteOpened:
    """Open a vote in the ballot box. UNREACHABLE: it did not say in a day that it is open."""
    unanswered = VoteOpened(ballot=request.ballot, status=BoxStatus.UNREACHABLE)
    return await _ask_outside(BallotBoxes.open_vote, request, "开启线上票箱 ballot box", unanswered)


async def close_vote(request: CloseVote) -> VoteTally:
    """Close a vote there and hear what was cast. UNREACHABLE: it may be closed; ask again."""
    unanswered = VoteTally(ballot=request.ballot, status=BoxStatus.UNREACHABLE)
    return await _ask_outside(BallotBoxes.close_vote, request, "线上票箱计票 tally", unanswered)


async def strike_in_box(request: StrikeInBox) -> StruckInBox:
    """Give no ballot to a unit there. UNREACHABLE: it may take one all the same."""
    unanswered = StruckInBox(ballot=request.ballot, status=BoxStatus.UNREACHABLE)
    return await _ask_outside(BallotBoxes.strike_in_box, request, f"空户除名 {request.number}", unanswered)


async def incoming(asked: IncomingAsk) -> IncomingAnswer:
    """Ask the bank what has come in under a reference. Not `said`: it did not answer in a day."""
    unanswered = IncomingAnswer(reference=asked.reference, said=False)
    return await _ask_outside(Incoming.incoming, asked, "查询到账 incoming money", unanswered)


async def dial(request: Dial) -> Dialled:
    """Have somebody called. UNREACHABLE: nobody knows whether it rings; a word of it may still come."""
    unanswered = Dialled(call=request.key, status=CallStatus.UNREACHABLE)
    return await _ask_in_time(Calls.dial, request, f"拨打联系人 call {request.number}", unanswered, _CALL)


async def call_word(request: CallAsk) -> CallWord:
    """Ask what became of a call of which no word came."""
    unanswered = CallWord(call=request.key, status=CallStatus.UNREACHABLE)
    return await _ask_in_time(Calls.call_word, request, f"查询通话 call {request.number}", unanswered, _CALL)


async def send_text(request: SendText) -> TextSent:
    """Send a short message to whoever was called in vain. UNREACHABLE: it may be sent all the same."""
    unanswered = TextSent(call=request.key, status=CallStatus.UNREACHABLE)
    return await _ask_in_time(Calls.send_text, request, f"短信 text {request.number}", unanswered, _CALL)


async def _ask_outside(
    act: Callable[[Any, RequestT], Awaitable[AnswerT]], request: RequestT, summary: str, unanswered: AnswerT
) -> AnswerT:
    """Call a source or the bank; without an answer in time `unanswered` comes back, with the code that says why."""
    try:
        answer = await workflow.execute_activity_method(
            act,
            request,
            start_to_close_timeout=_OUTSIDE_ATTEMPT,
            schedule_to_close_timeout=_OUTSIDE_ALTOGETHER,
            retry_policy=_OUTSIDE_RETRY,
            summary=summary,
        )
    except ActivityError as error:
        if is_cancelled_exception(error):
            raise
        busy = _last_fault(error) in {SOURCE_NOT_READY, BANK_NOT_READY}
        return unanswered.model_copy(update={"code": "pending" if busy else "unreachable"})
    return answer if is_answer_to(request, answer) else unanswered.model_copy(update={"code": "unreachable"})


def is_answer_to(asked: Question, answer: Answer) -> bool:
    """Whether this answers what was asked here. What does not is told to the town, and is as good as no answer.

    Cases from before take an answer that names no question: so were all of them.
    """
    if found_out_of_place(answer) is None:
        if answer.question == asked.question:
            return True
        state = getattr(workflow.instance(), "state", None)  # whoever asks without being a case is of a test
        if answer.question is None and (state is None or not state.charter.keeps_place):
            return True
    tell_refused(workflow.info().workflow_id, "answer")
    return False


def tell_refused(case_id: str, what: str) -> None:
    """Tell the town of something that was written for another place: it stands in `refusals`, and nothing of it in the case."""
    tell = workflow.extern_functions().get(TELLS_REFUSED)
    if tell is not None and not workflow.unsafe.is_replaying():
        tell(case_id, what)


def _last_fault(error: BaseException) -> str | None:
    """What was the matter with the last try, as its activity called it: it stands at the end of the chain of causes."""
    fault, cause = None, error.__cause__
    while cause is not None:
        if isinstance(cause, ApplicationError):
            fault = cause.type
        cause = cause.__cause__
    return fault


async def start_case(procedure: Procedure, state: CaseState) -> bool:
    """Start a case of another procedure; False when it stands already. It lives on by itself and reports by messages.

    Somebody else's run under its number is not the case: it is ended, and the case is started in its place.
    An id that no case can have is answered as if there were one: it would make this case's task fail for ever.
    """
    if not can_be_case_id(state.case_id):
        return False
    if await _begin_case(procedure, state, WorkflowIDReusePolicy.REJECT_DUPLICATE):
        return True
    if not workflow.patched(A_CHILD_IS_OF_ITS_PARENT):
        return False
    pause = _NUMBER_PAUSE_FIRST
    while not (await _free_number(procedure, state)).stands:
        if await _begin_case(procedure, state, WorkflowIDReusePolicy.ALLOW_DUPLICATE):
            return True
        await workflow.sleep(pause, summary="案号被占用,稍后再取 its number is taken again")
        pause = min(pause * 2, _NUMBER_PAUSE_MAX)
    return False


async def _begin_case(procedure: Procedure, state: CaseState, reuse: WorkflowIDReusePolicy) -> bool:
    """Start the workflow of a child; False when there is one under its number, running or (by `reuse`) ended."""
    attributes = [SearchAttributePair(_KEYWORDS[name], value) for name, value in first_keywords_of(state).items()]
    try:
        await workflow.start_child_workflow(
            procedure.name,
            state,
            id=state.case_id,
            parent_close_policy=workflow.ParentClosePolicy.ABANDON,
            id_reuse_policy=reuse,
            task_timeout=TASK_TIMEOUT,
            search_attributes=TypedSearchAttributes(attributes),
            static_summary=summary_of(procedure.title, state),
            static_details=details_of(state),
        )
    except WorkflowAlreadyStartedError:
        return False
    return True


async def _free_number(procedure: Procedure, state: CaseState) -> ChildStanding:
    """Ask whose run has the number of a child; nothing has it any more where that is not the child. No answer: ask again."""
    asked = ChildNumber(
        case_id=workflow.info().workflow_id, child=state.case_id, procedure=procedure.name, opening=state.opening
    )
    answer = await workflow.execute_activity_method(
        Children.free_child_number,
        asked,
        start_to_close_timeout=_NUMBER_ATTEMPT,
        retry_policy=_NUMBER_RETRY,
        summary=f"核对案号 {state.case_id}",
    )
    return answer if is_answer_to(asked, answer) else ChildStanding(stands=False)


async def reserve(asked: ReserveAsk) -> ReserveReceipt:
    """Reserve a unit or a share for this case, once by its purpose. What is no answer to this reserves nothing here."""
    receipt = await workflow.execute_activity_method(
        Reservations.reserve,
        asked,
        start_to_close_timeout=_NUMBER_ATTEMPT,
        retry_policy=_NUMBER_RETRY,
        summary=f"占用 {asked.kind} {asked.purpose}",
    )
    if is_answer_to(asked, receipt):
        return receipt
    return ReserveReceipt(purpose=asked.purpose, status=ReserveStatus.NOT_SAID)


async def release(asked: ReleaseAsk) -> None:
    """Give up what this case has reserved for a purpose; tried until it is done."""
    receipt = await workflow.execute_activity_method(
        Reservations.release,
        asked,
        start_to_close_timeout=_NUMBER_ATTEMPT,
        retry_policy=_NUMBER_RETRY,
        summary=f"释放 {asked.kind} {asked.purpose}",
    )
    is_answer_to(asked, receipt)  # whoever answers something else is told of; the end of the case frees it all the same


async def tell_case(case_id: str, message: Message) -> bool:
    """Tell another case something; False when no such case runs, or none can have this id."""
    if not can_be_case_id(case_id):
        return False
    addressed = message.model_copy(update={"to": case_id})
    try:
        await workflow.get_external_workflow_handle(case_id).signal("message", addressed)
    except FailureError as error:
        if is_cancelled_exception(error):
            raise
        return False
    return True


async def case_answered(answered: Callable[[], bool]) -> bool:
    """Wait for the answer of another case; False when it gave none within an hour of real time."""
    try:
        await workflow.wait_condition(
            answered, timeout=_CASE_ANSWERS_WITHIN, timeout_summary="等待另一案件答复 the other case"
        )
    except TimeoutError:
        return False
    return True


def show(procedure: Procedure, state: CaseState, clocks: Iterable[ClockView], shown: dict[str, str]) -> dict[str, str]:
    """Tell Temporal's lists and its UI where the case stands, with its clocks; return what is shown now.

    Search attributes cost an event, so only those go up that differ from `shown`; the details cost none.
    """
    now = keywords_of(state)
    changed = [_KEYWORDS[name].value_set(value) for name, value in now.items() if shown.get(name) != value]
    if changed:
        workflow.upsert_search_attributes(changed)
    workflow.set_current_details(details(state, clocks, procedure.words))
    return now


def tell_task_apart(state: CaseState) -> None:
    """Leave a command in the workflow task, at the price of one event: something that is listed is shown once more."""
    name = STAGE if state.charter.lists_stage else AREA
    workflow.upsert_search_attributes([_KEYWORDS[name].value_set(keywords_of(state)[name])])


async def marker_timer() -> None:
    """A timer that is there to be there: its start and its cancellation are commands. Nothing happens when it fires."""
    await workflow.sleep(_BOUNDARY, summary="任务分界,非办理期限 task boundary, not a deadline")


def running(clocks: Iterable[ClockView]) -> list[ClockView]:
    """Return the clocks that count now, with their due times, the next one first."""
    return sorted((view for view in clocks if view.status is Status.RUNNING and view.due_at), key=_due)


def details(state: CaseState, views: Iterable[ClockView], words: ScreenWords) -> str:
    """What a supervisor reads at the top of a case in the Temporal UI, in Markdown: Chinese words beside codes only."""
    clocks = running(views)
    lines = [
        f"**环节 stage**: {words.stage(state.stage, state.procedure)}",
        f"**责任方 holder**: {holder_words(state.holder)}",
        f"**最近到期 next due**: {_due_words(clocks[0], state.procedure, words) if clocks else '-'}",
        f"**台账 entries**: {state.seq}",
    ]
    if len(clocks) > 1:
        lines.append(
            "**其后 then**:\n\n" + "\n".join(f"- {_due_words(view, state.procedure, words)}" for view in clocks[1:])
        )
    return "\n\n".join(lines)


def _due(view: ClockView) -> str:
    return f"{view.due_at:%Y-%m-%d %H:%M}"


def _due_words(view: ClockView, procedure: str, words: ScreenWords) -> str:
    return f"{words.clock(view.name, procedure)} {_due(view)}"


def _entries(batch: Batch) -> str:
    """`台账 3-4 incident:signed, clock:breach`: which entries a flush wrote, for the timeline in the UI."""
    first, last = batch.entries[0].seq, batch.entries[-1].seq
    numbers = f"{first}" if first == last else f"{first}-{last}"
    return f"台账 {numbers} " + ", ".join(entry.kind for entry in batch.entries)


def _short(step: str) -> str:
    """The number of an order without the case, whose page it stands on."""
    return step.rpartition(".")[2]
