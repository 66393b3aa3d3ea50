"""`jiceng departments`, `sources`, `bank`, `call-gateway`, `people`: the simulated sides of a town, put together from settings.

Here, and nowhere in the simulation itself, the town's keys are held: each system gets its own, people get tokens.
"""

import time
from collections.abc import Callable
from datetime import timedelta
from urllib.parse import urlsplit

from engine.keys.counterpart_keys import Counterpart, key_file
from engine.keys.keys import Keys
from engine.keys.tokens import issue
from engine.policies.bank_policy import load_bank
from engine.policies.call_gateway_policy import FILE as CALL_GATEWAY
from engine.policies.call_gateway_policy import load_call_gateway
from engine.policies.department_policy import load_departments
from engine.policies.source_policy import load_sources
from engine.runtime.settings import Settings
from engine.runtime.town_clock import read_town_time
from local.simulation.bank_server import RunningBank, SimulatedBank
from local.simulation.call_server import RunningCallGateway, SimulatedCallGateway
from local.simulation.department_server import SimulatedDepartment
from local.simulation.departments import serve_departments
from local.simulation.people import Neighbourhood, TokenFor, live
from local.simulation.source_server import RunningSources, SimulatedSource
from local.simulation.townspeople import Persona
from schemas.contracts.department import Gateway

TOKEN_LIFETIME = timedelta(hours=12)


async def run_departments(settings: Settings) -> None:
    """Play every department that has a system of its own, until cancelled. Raises OSError when the port is taken."""
    register = load_departments(settings.policies / "departments.yaml", settings.departments_url)
    base = urlsplit(settings.departments_url or "")
    simulated = [
        SimulatedDepartment(
            code=department.code,
            key_file=key_file(settings.key_folder, department.code),
            book=settings.data / "departments" / f"{department.code}.sqlite",
            speed=settings.speed,
        )
        for department in register.departments
        if department.gateway is Gateway.HTTP
    ]
    await serve_departments(simulated, base.hostname or "127.0.0.1", base.port or 0)


async def run_sources(settings: Settings) -> None:
    """Play every source of means that has a system, until cancelled. Raises OSError when the port is taken."""
    register = load_sources(settings.policies / "sources.yaml", settings.sources_url)
    base = urlsplit(settings.sources_url or "")
    simulated = {
        source.code: SimulatedSource(
            code=source.code,
            key_file=key_file(settings.key_folder, source.code, Counterpart.SOURCE),
            facts=source.facts,
        )
        for source in register.sources
        if source.gateway is Gateway.HTTP
    }
    book = settings.data / "sources" / "sources.sqlite"
    host, port = base.hostname or "127.0.0.1", base.port or 0
    await RunningSources(simulated, book, speed=settings.speed, host=host, port=port).task


async def run_bank(settings: Settings) -> None:
    """Play the bank that pays, until cancelled. Raises OSError when the port is taken."""
    policy = load_bank(settings.policies / "banks.yaml", settings.bank_url)
    base = urlsplit(settings.bank_url or "")
    bank = SimulatedBank(
        code=policy.code,
        key_file=key_file(settings.key_folder, policy.code, Counterpart.BANK),
        book=settings.data / "banks" / f"{policy.code}.sqlite",
        speed=settings.speed,
        host=base.hostname or "127.0.0.1",
        port=base.port or 0,
    )
    await RunningBank(bank).task


async def run_call_gateway(settings: Settings) -> None:
    """Play the call gateway, until cancelled. Raises OSError when the port is taken."""
    policy = load_call_gateway(settings.policies / CALL_GATEWAY, settings.call_gateway_url)
    base = urlsplit(settings.call_gateway_url or "")
    gateway = SimulatedCallGateway(
        code=policy.code,
        key_file=key_file(settings.key_folder, policy.code, Counterpart.CALL_GATEWAY),
        book=settings.data / "call_gateways" / f"{policy.code}.sqlite",
        speed=settings.speed,
        host=base.hostname or "127.0.0.1",
        port=base.port or 0,
    )
    await RunningCallGateway(gateway).task


async def run_people(settings: Settings) -> None:
    """Let the people of the town live, until cancelled."""
    await live(neighbourhood_of(settings, Keys.of(settings)))


def neighbourhood_of(settings: Settings, keys: Keys) -> Neighbourhood:
    """What the people of this town have to know."""
    register = load_departments(settings.policies / "departments.yaml", settings.departments_url)
    desks = frozenset(each.code for each in register.departments if each.gateway is Gateway.DESK)
    return Neighbourhood(
        api_url=settings.api_url,
        token_for=tokens(settings, keys),
        clock=read_town_time(settings),
        departments=[each.code for each in register.departments],
        desks=desks,
    )


def tokens(settings: Settings, keys: Keys) -> TokenFor:
    """Tokens of the local town for whoever asks; each is used for half its life."""
    held: dict[Persona, tuple[str, float]] = {}

    def token_for(persona: Persona) -> str:
        token, good_until = held.get(persona, ("", 0.0))
        if time.monotonic() >= good_until:
            token = issue(
                keys,
                subject=persona.subject,
                role=persona.role,
                department=persona.department,
                area=persona.area,
                lifetime=TOKEN_LIFETIME,
                issuer=settings.token_issuer,
                audience=settings.token_audience,
            )
            held[persona] = (token, time.monotonic() + TOKEN_LIFETIME.total_seconds() / 2)
        return token

    return token_for


def token_source(token_for: TokenFor, persona: Persona) -> Callable[[], str]:
    """The tokens of one person."""
    return lambda: token_for(persona)
