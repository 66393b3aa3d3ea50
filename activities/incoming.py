"""Incoming money: the doer that asks the bank what has come in under a reference. It passes on what the bank says, and no more."""

import structlog
from temporalio import activity
from temporalio.exceptions import ApplicationError

from activities.payments import NO_BANK, PENDING, UNAVAILABLE, CountCall
from engine.outside.banks import BankGateway
from engine.outside.signed_calls import GatewayUnavailable
from schemas.contracts.department import Gateway
from schemas.contracts.incoming import IncomingAnswer, IncomingAsk
from schemas.contracts.payment import BankPolicy

log = structlog.get_logger()


class Incoming:
    """The doer for money that comes in. It changes nothing anywhere."""

    def __init__(self, bank: BankPolicy, gateway: BankGateway, count_call: CountCall) -> None:
        self._bank = bank
        self._gateway = gateway
        self._count_call = count_call

    @activity.defn
    async def incoming(self, asked: IncomingAsk) -> IncomingAnswer:
        """Ask the bank. Raises ApplicationError(type=BankUnavailable or BankNotReady) to be asked again."""
        if self._bank.gateway is Gateway.DESK:
            self._count_call(self._bank.code, "incoming", NO_BANK)
            return IncomingAnswer(reference=asked.reference, said=False, code=NO_BANK)
        try:
            lines = await self._gateway.incoming(self._bank, asked.reference)
        except GatewayUnavailable as error:
            self._count_call(self._bank.code, "incoming", "pending" if error.pending else "unavailable")
            log.warning(
                "bank unavailable", bank=self._bank.code, act="incoming", case_id=asked.case_id, reason=error.reason
            )
            raise ApplicationError(
                f"{self._bank.code}: {error.reason}",
                type=PENDING if error.pending else UNAVAILABLE,
                next_retry_delay=error.retry_after,
            ) from None
        self._count_call(self._bank.code, "incoming", "said")
        log.info("bank answered", bank=self._bank.code, act="incoming", case_id=asked.case_id, lines=len(lines))
        return IncomingAnswer(reference=asked.reference, said=True, lines=lines)
