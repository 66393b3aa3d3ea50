"""Whoever writes to Temporal past the API changes nothing: no stamp, no command, no case."""

import json
import uuid
from datetime import UTC, datetime
from pathlib import Path

import asyncpg
import pytest
from temporalio.client import Client, WorkflowFailureError, WorkflowUpdateFailedError
from temporalio.exceptions import ApplicationError

from engine.keys.key_files import replace_file
from engine.keys.keys import Keys, ensure_keys, public_keys
from engine.keys.stamps import StampSigner, verify
from engine.runtime.settings import Settings
from schemas.incident import INCIDENT
from schemas.incident_commands import ReturnOrder
from schemas.incident_state import IncidentState
from schemas.kernel.procedure import Command
from schemas.kernel.temporal_display import TASK_TIMEOUT
from schemas.values.actor import Actor, Role, Stamp
from schemas.values.canonical import digest
from tests.api_driver import OpenDoor
from tests.waiting import eventually

pytestmark = pytest.mark.usefixtures("worker")

OFFICER = Actor(subject="officer-cheng", role=Role.DEPARTMENT_OFFICER, department="urban-management")

SIGN = INCIDENT.commands["sign"]


def stamp_for(case_id: str, name: str, command: Command) -> Stamp:
    """What the API would stamp, not yet signed."""
    return Stamp(
        case_id=case_id,
        command=name,
        command_id=uuid.uuid4().hex,
        actor=OFFICER,
        at=datetime.now(UTC),
        digest=digest(command),
    )


async def send(temporal: Client, case_id: str, name: str, command: Command, stamp: Stamp) -> str:
    """Send an update as somebody who can reach Temporal and has the payload keys; the code of its refusal."""
    try:
        await temporal.get_workflow_handle(case_id).execute_update(name, args=[command, stamp], id=stamp.command_id)
    except WorkflowUpdateFailedError as error:
        return str(error.cause.details[0]["code"]) if isinstance(error.cause, ApplicationError) else repr(error.cause)
    return ""


async def test_a_command_with_the_apis_stamp_is_taken(door: OpenDoor, temporal: Client, keys: Keys) -> None:
    """The guard lets through what the API itself would send: the tests below fail for no other reason."""
    case_id = await (await door(INCIDENT)).start()
    stamp = StampSigner(keys).sign(stamp_for(case_id, "sign", SIGN()))

    assert await send(temporal, case_id, "sign", SIGN(), stamp) == ""


@pytest.mark.parametrize(
    "forged", ["unsigned", "other case", "other command", "other body", "other actor", "other key"]
)
async def test_a_command_past_the_api_is_refused_and_kept(
    forged: str, door: OpenDoor, temporal: Client, keys: Keys, pool: asyncpg.Pool
) -> None:
    """A stamp that is not of this town, this case, this command, this body and this actor opens nothing, and is noted."""
    town = await door(INCIDENT)
    case_id, other = await town.start(), await town.start()
    signer = StampSigner(keys)
    command: Command = SIGN()
    stamp = stamp_for(case_id, "sign", command)
    match forged:
        case "other case":
            stamp = signer.sign(stamp_for(other, "sign", command))
        case "other command":
            stamp = signer.sign(stamp_for(case_id, "arrive", command))
        case "other body":
            reason = "text:" + "0" * 26
            other_body = ReturnOrder(reason=reason, legal_basis=reason)
            stamp = signer.sign(stamp_for(case_id, "sign", other_body))
        case "other actor":
            elsewhere = Actor(subject="officer-si", role=Role.DEPARTMENT_OFFICER, department="justice-office")
            stamp = signer.sign(stamp.model_copy(update={"actor": elsewhere})).model_copy(update={"actor": OFFICER})
        case "other key":
            stamp = signer.sign(stamp).model_copy(update={"key_id": "nobody-1"})
    before = await town.kinds(case_id)

    assert await send(temporal, case_id, "sign", command, stamp) == "not-stamped"

    async def noted() -> bool:
        sql = "select count(*) from refusals where case_id = $1 and code = 'not-stamped'"
        return bool(await pool.fetchval(sql, case_id))  # more than one, if the task that refused it was run again

    await eventually(noted)
    assert [kind for kind in await town.kinds(case_id) if kind not in before] in ([], ["incident:order_received"])


async def test_a_start_past_the_api_opens_no_case(
    door: OpenDoor, temporal: Client, settings: Settings, pool: asyncpg.Pool
) -> None:
    """A workflow that somebody starts by hand fails before its first entry: no ledger, no row, and it is noted."""
    town = await door(INCIDENT)
    state = await pool.fetchval("select payload from intake where case_id = $1 and kind = 'start'", await town.start())
    forged = "incident-20990101-000001"
    start = IncidentState.model_validate({**state, "case_id": forged})
    run = await temporal.start_workflow(
        "incident", start, id=forged, task_queue=settings.task_queue, task_timeout=TASK_TIMEOUT
    )
    with pytest.raises(WorkflowFailureError):
        await run.result()

    assert await pool.fetchval("select count(*) from ledger where case_id = $1", forged) == 0
    assert await pool.fetchval("select count(*) from cases where case_id = $1", forged) == 0
    assert await pool.fetchval("select code from refusals where case_id = $1", forged) == "not-stamped"


def test_a_new_stamp_key_is_known_without_a_restart(tmp_path: Path) -> None:
    """The ring is read again when somebody signs with a key that it does not have; a key nobody published stays unknown."""
    ours, others = ensure_keys(tmp_path / "ours"), ensure_keys(tmp_path / "others")
    stamp = StampSigner(others).sign(stamp_for("incident-20260101-000001", "sign", SIGN()))
    unknown = verify(stamp, ours.stamp_ring)
    both = public_keys(ours.stamp_ring) | public_keys(others.stamp_ring)
    replace_file(
        tmp_path / "ours" / "stamp-ring.json", json.dumps({"active": others.stamp_ring.active_id, "keys": both})
    )

    assert not unknown
    assert verify(stamp, ours.stamp_ring)
