"""The calls of an alarm: when nobody goes, the gateway calls the emergency contacts in order, where the town's rules say so.

    asked -> ringing -> acknowledged          the contact comes: the desk and the community are told, and no other one is called
       |        +----> wrong key, hung up, no answer, busy, switched off      a short message, and the next one in order
       |        +----> no word in time: the gateway is asked, once; then the next one, and a word that comes late still counts
       +-> refused, no number                 the next one
       +-> the gateway is away                people call by hand; so they may at any time

Nobody who only picks up has answered: they press the key. The number is read when it is dialled, by the doer (activities/calls.py).
"""

from schemas.alarm import ContactReported, Kind
from schemas.alarm_state import AlarmState, ContactCall, Stage
from schemas.care_terms import CallsBy
from schemas.contracts.calls import CallAsk, CallResult, CallStatus, Dial, SendText
from schemas.kernel.parties import COORDINATOR, GRID_WORKER, desk_of
from workflows.kernel import steps
from workflows.kernel.declared import DeclaredCase

NOBODY_GOES_YET = (Stage.RAISED, Stage.ANSWERED)
GOES_ON = frozenset({CallStatus.REFUSED, CallStatus.NO_NUMBER})
"""After these of one number the next one is called; after any other the gateway is of no use."""

CONTACT_CLOCK = "contact"


class ContactCalls(DeclaredCase[AlarmState]):
    """The part of an alarm that has its contacts called."""

    def contacts_are_called(self) -> None:
        """Begin, where the town has a gateway call; once for an alarm."""
        if self.state.terms.contacts_called_by is CallsBy.GATEWAY and not self.state.contact_calls:
            self._call_next()

    def _call_next(self) -> None:
        """The next one in order, unless somebody comes or goes, or all were called often enough."""
        state = self.state
        if state.contact_comes or state.gateway_away or state.stage not in NOBODY_GOES_YET:
            return
        if any(each.open for each in state.contact_calls):
            return
        if len(state.contact_calls) >= state.terms.contact_rounds * len(state.contact_order):
            self.record(Kind.CONTACTS_UNREACHED, calls=len(state.contact_calls))
            self.notify(desk_of(COORDINATOR), "alarm_contacts_unreached", kinds=state.kinds)
            return
        contact = state.contacts_called % len(state.contact_order) + 1
        state.contacts_called += 1
        state.contact_calls.append(ContactCall(contact=contact))
        self.errand("dial", len(state.contact_calls))

    async def errand_dial(self, number: int) -> None:
        """Have one contact called. A word of the call may come before the answer that it rings."""
        call = self.state.contact_calls[number - 1]
        request = Dial(
            case_id=self.state.case_id,
            number=number,
            numbers=self.state.emergency_contacts,
            line=call.contact,
            as_of=self.now(),
        )
        answer = await self.answer_after_due_clocks(steps.dial(request))
        if self.over:
            return
        call = self.state.contact_calls[number - 1]
        call.status = answer.status
        self.record(Kind.CONTACT_DIALLED, number=number, contact=call.contact, status=answer.status, code=answer.code)
        if answer.status is CallStatus.RINGING:
            if call.result is None:
                self.start_clock(f"{CONTACT_CLOCK}:{number}")
        elif call.result is None:
            self._goes_on_after(answer.status)

    def _goes_on_after(self, status: CallStatus) -> None:
        """One number that cannot be had leaves the next one; a gateway that cannot be had leaves it to people."""
        if status in GOES_ON:
            self._call_next()
            return
        self.state.gateway_away = True
        self.record(Kind.GATEWAY_AWAY, status=status)
        self.notify(desk_of(COORDINATOR), "alarm_call_by_hand", kinds=self.state.kinds)

    # ---- what became of a call ------------------------------------------------------------------------------------------

    def contact_reported(self, command: ContactReported) -> None:
        """联系人应答: the first word on a call counts, however late; another one on the same call changes nothing."""
        call = self.state.contact_calls[command.number - 1]
        repeated, late = call.result is not None, call.lost
        self.record_command(contact=call.contact, repeated=repeated, late=late)
        if not repeated:
            self._is_known(command.number, command.result)

    def _is_known(self, number: int, result: CallResult) -> None:
        call = self.state.contact_calls[number - 1]
        call.result = result
        self.clocks.stop(f"{CONTACT_CLOCK}:{number}", "engine")
        if result is CallResult.ACKNOWLEDGED:
            self.state.contact_comes = True
            for told in (desk_of(COORDINATOR), desk_of(GRID_WORKER)):
                self.notify(told, "alarm_contact_comes", contact=call.contact)
            return
        self._text(number)
        self._call_next()

    def on_clock_passed(self, clock: str) -> None:
        """No word of a call in its time: the gateway is asked."""
        name, _, number = clock.partition(":")
        if name != CONTACT_CLOCK:
            super().on_clock_passed(clock)
            return
        call = self.state.contact_calls[int(number) - 1]
        if call.open:
            self.record(Kind.CONTACT_SILENT, number=int(number), contact=call.contact)
            self.errand("ask_for_the_word", int(number))

    async def errand_ask_for_the_word(self, number: int) -> None:
        """Ask what became of a call. What nobody knows is lost, and the next one is called."""
        request = CallAsk(case_id=self.state.case_id, number=number, as_of=self.now())
        answer = await self.answer_after_due_clocks(steps.call_word(request))
        call = self.state.contact_calls[number - 1]
        if self.over or call.result is not None:
            return
        if answer.status is CallStatus.ENDED and answer.result is not None:
            self.record(Kind.CONTACT_REPORTED, number=number, contact=call.contact, result=answer.result, asked=True)
            self._is_known(number, answer.result)
            return
        call.lost = True
        if answer.status in {CallStatus.UNREACHABLE, CallStatus.NO_GATEWAY}:
            self._goes_on_after(answer.status)
            return
        self._text(number)
        self._call_next()

    def _text(self, number: int) -> None:
        """Whoever was not reached gets a message, once, however often they are called."""
        contact = self.state.contact_calls[number - 1].contact
        first = next(place for place, each in enumerate(self.state.contact_calls, 1) if each.contact == contact)
        if first == number:
            self.errand("text_contact", number)

    async def errand_text_contact(self, number: int) -> None:
        """Send it. What comes of it is on the record, and decides nothing."""
        contact = self.state.contact_calls[number - 1].contact
        request = SendText(
            case_id=self.state.case_id,
            number=number,
            numbers=self.state.emergency_contacts,
            line=contact,
            as_of=self.now(),
        )
        answer = await self.answer_after_due_clocks(steps.send_text(request))
        if not self.over:
            self.record(Kind.CONTACT_TEXTED, number=number, contact=contact, status=answer.status, code=answer.code)
