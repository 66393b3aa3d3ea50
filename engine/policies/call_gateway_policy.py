"""Reads policies/call_gateway.yaml; every fault in it is told at once: file, entry, remedy."""

from pathlib import Path

from engine.policies.registers import RegisterFaults, RegisterFile
from schemas.contracts.calls import CallGatewayPolicy
from schemas.contracts.department import Gateway
from schemas.contracts.department_policy import Name


class CallGatewayPolicyFaults(RegisterFaults):
    """The file of the call gateway cannot be used as it stands. `faults` says, one by one, where and what to do."""


FILE = "call_gateway.yaml"

_NOTHING_SAID = Name(zh="无", en="none")
NO_CALL_GATEWAY = CallGatewayPolicy(
    code="none", name=_NOTHING_SAID, gateway=Gateway.DESK, voice=_NOTHING_SAID, text=_NOTHING_SAID
)

_FILE = RegisterFile(
    entries="call_gateways",
    one="call gateway",
    entry=CallGatewayPolicy,
    needed="code, name, gateway, voice and text",
    placeholder="{call_gateway}",
    variable="JICENG_CALL_GATEWAY_URL",
    error=CallGatewayPolicyFaults,
)


def load_call_gateway(file: Path, url: str | None = None) -> CallGatewayPolicy:
    """Read the town's call gateway, with its whole address. Raises CallGatewayPolicyFaults.

    `url` stands for `{call_gateway}`; without it, or without the file, none is connected, and its gateway is `desk`: people call.
    """
    if not file.exists():
        return NO_CALL_GATEWAY
    placed, _ = _FILE.addressed(_FILE.read(file, url, _more_than_one), url)
    return placed[0]


def _more_than_one(gateways: list[CallGatewayPolicy]) -> list[str]:
    # With two, one call could be made by each: a gateway knows only the calls that it has.
    return [f"{len(gateways)} call gateways; keep one"] if len(gateways) > 1 else []
