"""How a source of means is asked over HTTP (docs/means.md). Signature, limits and lanes: engine/outside/signed_calls.py."""

import httpx
from pydantic import ValidationError

from engine.keys.counterpart_keys import CounterpartKeys
from engine.outside.signed_calls import Answer, GatewayRefused, GatewayUnavailable, SignedCalls, refusal_code
from schemas.contracts.department import idempotency_key
from schemas.contracts.means import CheckBody, CheckStatus, SourceAnswer, SourcePolicy, check_step


class SourceGateway:
    """Our side of the contract. One for the whole worker."""

    def __init__(self, client: httpx.AsyncClient, keys: CounterpartKeys) -> None:
        self._calls = SignedCalls(client, keys, "source")

    async def ask(self, source: SourcePolicy, body: CheckBody) -> SourceAnswer | GatewayRefused:
        """Ask about people. The answer has the facts of the register, all of them, and no others.

        Raises GatewayUnavailable, `pending` when the source has the question and is not ready.
        """
        key = idempotency_key(body.case_id, check_step(body.check, body.number))
        answer = await self._calls.post(source, "/checks", body.model_dump_json(exclude_none=True).encode(), key)
        if (not_ready := self._calls.not_ready(answer)) is not None:
            raise not_ready
        if answer.status in {200, 201}:
            return _read(source, answer)
        return GatewayRefused(refusal_code(answer), f"the source answered {answer.status}")


def _read(source: SourcePolicy, answer: Answer) -> SourceAnswer:
    try:
        said = SourceAnswer.model_validate_json(answer.body)
    except ValidationError:
        # It may be mended while we go on asking: a wrong shape is no knowledge about anybody.
        raise GatewayUnavailable("the source's answer is not readable") from None
    missing = [name for name in source.facts if name not in said.facts]
    if missing:
        raise GatewayUnavailable(f"the source's answer lacks {', '.join(missing)}")
    facts = {name: said.facts[name] for name in source.facts}
    if (said.status is CheckStatus.FOUND) != any(facts.values()):
        raise GatewayUnavailable("the source's answer says one thing and its facts another")
    return said.model_copy(update={"facts": facts})
