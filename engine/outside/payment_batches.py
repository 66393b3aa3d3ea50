"""Payments that are due at one time go out together: on the tenth of a month a town pays everybody.

What comes in while the bank is at work goes out with the next batch, so nobody waits for a batch to fill. A payment that is
alone goes alone. Each line is judged by itself: what the bank did not answer is tried again under its own key, alone.
"""

import asyncio
import hashlib
from collections import deque

from engine.outside.banks import BankGateway, PaymentOutcome
from engine.outside.signed_calls import GatewayUnavailable
from schemas.contracts.payment import BankPolicy, PaymentBody

BATCHES_WAITING = 4
"""Beyond so many the bank cannot keep up, and whoever comes is told at once."""

_Waiting = tuple[PaymentBody, "asyncio.Future[PaymentOutcome]"]


class PaymentBatches:
    """The payments of one process to one bank."""

    def __init__(self, gateway: BankGateway, bank: BankPolicy) -> None:
        self._gateway = gateway
        self._bank = bank
        self._waiting: deque[_Waiting] = deque()
        self._sender: asyncio.Task[None] | None = None

    async def pay(self, body: PaymentBody) -> PaymentOutcome:
        """Pay, together with whatever else is due. Raises GatewayUnavailable: the money may have moved."""
        if len(self._waiting) >= self._bank.batch_max * BATCHES_WAITING:
            raise GatewayUnavailable("too many payments to this bank are waiting")
        outcome: asyncio.Future[PaymentOutcome] = asyncio.get_running_loop().create_future()
        self._waiting.append((body, outcome))
        if self._sender is None or self._sender.done():
            self._sender = asyncio.create_task(self._send_all(), name="payments")
        return await outcome

    async def _send_all(self) -> None:
        while self._waiting:
            batch = self._next()
            outcomes = await self._sent([body for body, _ in batch])
            for (_, waiting), outcome in zip(batch, outcomes, strict=True):
                if waiting.done():
                    continue  # whoever asked has gone: they will ask again under the same key
                if isinstance(outcome, Exception):
                    waiting.set_exception(outcome)
                else:
                    waiting.set_result(outcome)

    def _next(self) -> list[_Waiting]:
        """The next batch: nobody stands in it twice, for the bank could not tell which of the two it answers."""
        batch: dict[str, _Waiting] = {}
        left: deque[_Waiting] = deque()
        for each in self._waiting:
            if len(batch) < self._bank.batch_max and each[0].payment_key not in batch:
                batch[each[0].payment_key] = each
            else:
                left.append(each)
        self._waiting = left
        return list(batch.values())

    async def _sent(self, bodies: list[PaymentBody]) -> list[PaymentOutcome | Exception]:
        try:
            if len(bodies) == 1:
                return [await self._gateway.pay(self._bank, bodies[0])]
            keys = "\n".join(body.payment_key for body in bodies).encode()
            key = f"batch-{hashlib.sha256(keys).hexdigest()[:32]}"
            return list(await self._gateway.pay_together(self._bank, key, bodies))
        except Exception as error:  # noqa: BLE001 - whatever it is, each of those who wait must learn of it
            return [error] * len(bodies)
