"""Keys change while the town runs: nobody is refused, and the new key is what things are closed and signed with."""

import asyncio
import json
import sys
import time
import uuid
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest
from typer.testing import CliRunner

from cli import app
from engine.execution.temporal import connect
from engine.keys.counterpart_keys import (
    Counterpart,
    CounterpartKeyRefused,
    drop_counterpart_key,
    found_counterpart_keys,
    load_counterpart_keys,
    marks_of,
    new_counterpart_key,
    sign_with,
)
from engine.keys.key_files import KeyFault, KeyFileBroken, replace_file
from engine.keys.key_ring import LOOK_SECONDS, KeyRing, RingCommand, RingGiven
from engine.keys.key_rotation import (
    KeyNeeded,
    KeyUnknown,
    Rotated,
    activate_key,
    add_key,
    ids_of,
    retire_key,
    rotate_key,
)
from engine.keys.keys import Keys, ensure_keys
from engine.keys.tokens import Verifier, issue
from engine.runtime.settings import Settings
from engine.store.database import open_pool
from engine.vault.person_identity import PersonIdentity
from engine.vault.vault import Vault
from engine.vault.vault_rewrapping import rewrap_persons
from engine.vault.vault_seal import VaultKeyUnknown
from local.town.town import TownOptions, open_town
from local.town.town_processes import PROCESSES
from schemas.contracts.department import callback_path
from schemas.contracts.signature import SIGNATURE_HEADER, TIMESTAMP_HEADER, sign
from schemas.values.actor import Actor, Role
from tests.api_callers import REPORT, OwnTown
from tests.forked import forked
from tests.waiting import eventually

pytest_plugins = ("tests.api_fixture",)

BUREAU = "urban-management"
AUDITOR = Actor(subject="auditor-1", role=Role.AUDITOR)


# ---- rings ----------------------------------------------------------------------------------------------------------


def test_a_ring_finds_a_new_key_by_itself(tmp_path: Path) -> None:
    """A key that another process put into the file is known at once, and within a second it is the one for new things."""
    folder = tmp_path / "keys"
    ring = ensure_keys(folder).payload
    before, _ = ring.current()
    new = rotate_key(folder, Rotated.PAYLOAD)

    assert ring.get(new) is not None
    assert ring.get("made-up") is None
    assert ring.current()[0] == new
    assert ring.get(before) is not None


async def test_the_key_for_new_things_is_at_most_a_second_old(tmp_path: Path) -> None:
    """A process that meets no unknown key takes the new one all the same."""
    folder = tmp_path / "keys"
    ring = ensure_keys(folder).payload
    ring.current()
    new = rotate_key(folder, Rotated.PAYLOAD)

    await eventually(lambda: ring.current()[0] == new, within=3)


def test_a_spoilt_ring_leaves_the_keys_in_force(tmp_path: Path) -> None:
    """A ring file that is broken later on changes nothing for a process that runs."""
    folder = tmp_path / "keys"
    ring = ensure_keys(folder).payload
    (folder / "payload.json").write_text("{}")

    assert ring.get("made-up") is None
    assert ring.get(ring.active_id) == ring.current()[1]


@pytest.mark.parametrize("ring", [Rotated.STAMPS, Rotated.SEALS, Rotated.TOKENS])
def test_a_new_signing_key_can_be_checked_before_it_signs(ring: Rotated, tmp_path: Path) -> None:
    """A key that is added and not active stands in the public file already; what the old one signed still holds."""
    folder = tmp_path / "keys"
    keys = ensure_keys(folder)
    token = issue(keys, subject="a", role=Role.ADMIN)
    new = add_key(folder, ring)
    public = {"stamps": "stamp-ring.json", "seals": "seal-ring.json", "tokens": "jwks.json"}[ring]

    assert new in (folder / public).read_text()
    assert ids_of(folder, ring)[0] != new
    activate_key(folder, ring, new)
    assert ids_of(folder, ring) == (new, ids_of(folder, ring)[1])
    assert Keys.load(folder)
    assert Verifier(folder / "jwks.json").verify(token).subject == "a"


def test_a_retired_token_key_is_believed_no_more(tmp_path: Path) -> None:
    """No token of a key that was taken out is believed, by a process that runs; keys of another issuer stay."""
    folder = tmp_path / "keys"
    keys, other = ensure_keys(folder), ensure_keys(tmp_path / "other")
    foreign = json.loads(other.jwks_file.read_text())["keys"]
    shown = json.loads(keys.jwks_file.read_text())["keys"]
    keys.jwks_file.write_text(json.dumps({"keys": shown + foreign}))
    keys.jwks_file.chmod(0o644)
    verifier = Verifier(keys.jwks_file)
    old, old_token = keys.token_key()[0], issue(keys, subject="a", role=Role.ADMIN)
    with pytest.raises(KeyNeeded, match="rotate first"):
        retire_key(folder, Rotated.TOKENS, old)
    rotate_key(folder, Rotated.TOKENS)
    before = verifier.verify(old_token).subject
    retire_key(folder, Rotated.TOKENS, old)

    assert before == "a"
    with pytest.raises(Exception, match="key"):
        verifier.verify(old_token)
    assert verifier.verify(issue(other, subject="b", role=Role.ADMIN)).subject == "b"
    assert keys.jwks_file.stat().st_mode & 0o777 == 0o644


def test_a_stamp_key_whose_private_part_was_thrown_away_can_still_be_checked(tmp_path: Path) -> None:
    """A rotation never takes a public key away, whether or not its private half is still there."""
    folder = tmp_path / "keys"
    keys = ensure_keys(folder)
    old = keys.stamp_ring.active_id
    new = rotate_key(folder, Rotated.STAMPS)
    text = json.loads((folder / "stamps.json").read_text())
    replace_file(folder / "stamps.json", json.dumps({"active": new, "keys": {new: text["keys"][new]}}))
    newest = rotate_key(folder, Rotated.STAMPS)

    assert set(Keys.load(folder).stamp_ring) == {old, new, newest}


@pytest.mark.parametrize("ring", [Rotated.PAYLOAD, Rotated.STAMPS, Rotated.SEALS])
def test_what_old_keys_closed_or_signed_stays_open(ring: Rotated, tmp_path: Path) -> None:
    """A key that histories or the ledger need is not taken away, and the refusal says why."""
    folder = tmp_path / "keys"
    ensure_keys(folder)
    old = ids_of(folder, ring)[0]
    rotate_key(folder, ring)
    with pytest.raises(KeyNeeded, match="it stays"):
        retire_key(folder, ring, old)
    with pytest.raises(KeyUnknown):
        activate_key(folder, ring, "nobody")


def test_the_blind_index_cannot_be_changed(tmp_path: Path) -> None:
    """Changing the key that finds persons again is refused with the reason; nothing is written."""
    ensure_keys(tmp_path / "keys")
    before = (tmp_path / "keys" / "blind-index.json").read_bytes()
    result = CliRunner().invoke(app(), ["keys", "rotate", "blind-index", "--data", str(tmp_path)])

    assert result.exit_code == 1
    assert "finds nobody again" in " ".join(result.stderr.split())
    assert (tmp_path / "keys" / "blind-index.json").read_bytes() == before


def test_no_command_shows_a_key(tmp_path: Path) -> None:
    """Listing and changing keys prints ids and marks, and nothing of a key."""
    folder = tmp_path / "keys"
    keys = ensure_keys(folder)
    found_counterpart_keys(folder, [BUREAU], Counterpart.DEPARTMENT)
    run = CliRunner()
    said = "".join(
        run.invoke(app(), ["keys", *words, "--data", str(tmp_path)]).output
        for words in (["list"], ["rotate", "stamps"], ["rotate", "departments", BUREAU], ["list"])
    )
    secrets = [text for file in folder.rglob("*.keys") for text in file.read_text().split()]
    rings = [json.loads(file.read_text()) for file in folder.glob("*.json")]
    secrets += [key for ring in rings if "active" in ring for key in ring["keys"].values()]

    assert keys.payload.active_id in said
    assert len(secrets) > 8
    assert [secret for secret in secrets if secret in said] == []


# ---- the vault's ring elsewhere, and wrapping anew ------------------------------------------------------------------


def test_the_vaults_ring_may_lie_outside(tmp_path: Path) -> None:
    """The master keys come from a variable or a command in the place of vault.json; a broken one is refused unquoted."""
    kept = ensure_keys(tmp_path / "kept")
    text = (tmp_path / "kept" / "vault.json").read_text()
    folder = tmp_path / "keys"
    ensure_keys(folder, RingGiven(text))
    by_variable = Settings(keys=folder, vault_ring=text)
    print_it = f"{sys.executable} -c \"print(open('{tmp_path}/kept/vault.json').read())\""
    by_command = Settings(keys=folder, vault_ring_command=print_it)

    assert not (folder / "vault.json").exists()
    assert Keys.of(by_variable).vault.active == kept.vault.active
    commanded = Keys.of(by_command).vault
    assert commanded.active == kept.vault.active
    for broken in (RingGiven("SECRET"), RingCommand("no-such-program"), RingCommand(f"{sys.executable} -c 'print(7)'")):
        with pytest.raises(KeyFileBroken, match="JICENG_VAULT_RING") as fault:
            broken.read()
        assert "SECRET" not in str(fault.value)


def test_a_command_is_asked_again_for_a_key_that_is_not_known(tmp_path: Path) -> None:
    """A process whose master keys come from a command finds a new one when it meets it, and does not ask all the time."""
    asked = tmp_path / "asked"
    folder = tmp_path / "keys"
    ensure_keys(folder)
    program = f"open('{asked}', 'a').write('x'); print(open('{folder}/vault.json').read())"
    source = RingCommand(f'{sys.executable} -c "{program}"')
    ring = KeyRing.of(source)
    new = rotate_key(folder, Rotated.VAULT)
    source._next += 60.0  # noqa: SLF001 - the pause that began with the first question, however slow this machine is
    too_soon = [ring.get(new) for _ in range(3)]
    source._next = 0.0  # noqa: SLF001 - five seconds later
    found = ring.get(new)

    assert too_soon == [None, None, None]
    assert found is not None
    assert asked.read_text() == "xx"


async def test_a_new_master_key_wraps_every_person_anew(own_town: OwnTown, tmp_path: Path) -> None:
    """After a rotation every person's key is wrapped with the new master key, no text was closed again, all are read."""
    folder = tmp_path / "keys"
    keys, pool = ensure_keys(folder), own_town.pool
    vault = Vault(keys)
    async with pool.acquire() as connection:
        kept = [
            await vault.keep(
                connection, PersonIdentity.account(f"p{number}"), {"description": f"text {number}"}, case_id=None
            )
            for number in range(7)
        ]
        gone = await vault.keep(connection, PersonIdentity.account("gone"), {"description": "gone"}, case_id=None)
        await vault.erase(connection, gone.person, AUDITOR, "request")
    sealed = await pool.fetch("select item_id, nonce, ciphertext from vault_items order by item_id")
    old, new = keys.vault.active_id, rotate_key(folder, Rotated.VAULT)
    wrapped = await rewrap_persons(pool, keys.vault)
    again = await rewrap_persons(pool, keys.vault)
    retire_key(folder, Rotated.VAULT, old)
    masters = await pool.fetch("select distinct master_key_id from persons where erased_at is null")

    assert (wrapped, again) == (7, 0)
    assert [row["master_key_id"] for row in masters] == [new]
    assert await pool.fetch("select item_id, nonce, ciphertext from vault_items order by item_id") == sealed
    fresh = Vault(Keys.load(folder))
    async with pool.acquire() as connection:
        for number, each in enumerate(kept):
            reference = each.texts["description"]
            assert await fresh.read_texts(connection, [reference], AUDITOR, "test", None) == {
                reference: f"text {number}"
            }


async def test_a_master_key_in_use_is_not_taken_away(own_town: OwnTown, tmp_path: Path) -> None:
    """Taking a master key out while a person's key is wrapped with it is refused, by number and never silently."""
    data, keys = tmp_path, ensure_keys(tmp_path / "keys")
    async with own_town.pool.acquire() as connection:
        await Vault(keys).keep(connection, None, {"description": "text"}, case_id=None)
    old = keys.vault.active_id
    activate_key(data / "keys", Rotated.VAULT, add_key(data / "keys", Rotated.VAULT))
    environment = {"JICENG_DATABASE_URL": own_town.settings.database_url.get_secret_value()}
    retire = ["keys", "retire", "vault", old, "--data", str(data)]
    early = await asyncio.to_thread(CliRunner().invoke, app(), retire, env=environment)
    rewrap = await asyncio.to_thread(
        CliRunner().invoke, app(), ["keys", "rewrap", "--data", str(data)], env=environment
    )
    late = await asyncio.to_thread(CliRunner().invoke, app(), retire, env=environment)

    assert (early.exit_code, rewrap.exit_code, late.exit_code) == (1, 0, 0), early.output + rewrap.output + late.output
    assert "1 persons" in " ".join(early.stderr.split())
    assert ids_of(data / "keys", Rotated.VAULT)[1] == [ids_of(data / "keys", Rotated.VAULT)[0]]


async def test_a_person_wrapped_with_a_key_from_elsewhere_stops_the_wrapping(own_town: OwnTown, tmp_path: Path) -> None:
    """A key that no master key of the ring opens is told, and stays as it is."""
    stranger = ensure_keys(tmp_path / "stranger")
    async with own_town.pool.acquire() as connection:
        await Vault(stranger).keep(connection, None, {"description": "text"}, case_id=None)
    with pytest.raises(VaultKeyUnknown, match=stranger.vault.active_id):
        await rewrap_persons(own_town.pool, ensure_keys(tmp_path / "keys").vault)


# ---- counterparts ---------------------------------------------------------------------------------------------------


def test_a_departments_key_changes_in_three_steps(tmp_path: Path) -> None:
    """The new key is believed, then signs, then is alone, each without a restart; two at the most; the last one stays."""
    found_counterpart_keys(tmp_path, [BUREAU], Counterpart.DEPARTMENT)
    keys = load_counterpart_keys(tmp_path, [BUREAU], Counterpart.DEPARTMENT)
    old_key, (old,) = keys.signing(BUREAU), marks_of(tmp_path, BUREAU, Counterpart.DEPARTMENT)
    new = new_counterpart_key(tmp_path, BUREAU, Counterpart.DEPARTMENT)
    both, signing = keys.believed(BUREAU), keys.signing(BUREAU)
    with pytest.raises(CounterpartKeyRefused, match="drop an old one"):
        new_counterpart_key(tmp_path, BUREAU, Counterpart.DEPARTMENT)
    sign_with(tmp_path, BUREAU, Counterpart.DEPARTMENT, new)
    signing_then = keys.signing(BUREAU)
    drop_counterpart_key(tmp_path, BUREAU, Counterpart.DEPARTMENT, old)

    assert (both[0], signing, len(both)) == (old_key, old_key, 2)
    assert signing_then == both[1]
    assert keys.believed(BUREAU) == (both[1],)
    with pytest.raises(CounterpartKeyRefused, match="only key"):
        drop_counterpart_key(tmp_path, BUREAU, Counterpart.DEPARTMENT, new)
    with pytest.raises(KeyFault, match="none of these"):
        sign_with(tmp_path, BUREAU, Counterpart.DEPARTMENT, old)
    (tmp_path / "departments" / f"{BUREAU}.keys").write_text("spoilt")
    assert keys.believed(BUREAU) == (both[1],)


# ---- a town under load ----------------------------------------------------------------------------------------------


@dataclass
class Load:
    """Residents who report and a department that answers, one after the other, until told to stop."""

    http: httpx.AsyncClient
    settings: Settings
    keys: Keys
    department_key: bytes
    cases: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    stopped: bool = False

    async def run(self) -> None:
        while not self.stopped:
            headers = {"Authorization": f"Bearer {issue(self.keys, subject='wang', role=Role.RESIDENT)}"}
            key = {"Idempotency-Key": str(uuid.uuid4())}
            started = await self.http.post("/api/v1/incidents", json=REPORT, headers=headers | key)
            self.judge(started)
            case_id = str(started.json().get("case_id"))
            wait = {"wait": "seq:1", "timeout": "25"}  # on a busy machine the case may still be on its way
            self.judge(await self.http.get(f"/api/v1/cases/{case_id}", headers=headers, params=wait))
            seen = await self.http.get(f"/api/v1/cases/{case_id}/timeline", headers=headers)
            self.judge(seen)
            self.judge(await self.signed(case_id))
            self.cases.append(case_id)

    async def signed(self, case_id: str) -> httpx.Response:
        body = json.dumps(
            {"act": "signed", "callback_id": case_id, "order_id": f"{case_id}.order-1", "case_id": case_id,
             "by": "officer-9", "as_of": "2026-11-21T10:00:00+08:00"}
        ).encode()  # fmt: skip
        at = str(int(time.time()))
        headers = {"Content-Type": "application/json", TIMESTAMP_HEADER: at}
        headers[SIGNATURE_HEADER] = sign(self.department_key, at, body)
        return await self.http.post(callback_path(BUREAU), content=body, headers=headers)

    def judge(self, answer: httpx.Response) -> None:
        if answer.status_code >= 300:
            self.wrong.append(f"{answer.request.url.path}: {answer.status_code} {answer.text[:300]}")

    async def goes_on(self) -> None:
        """Wait for three more cases, and refuse to go on after the first error."""
        wanted = len(self.cases) + 3
        await eventually(lambda: bool(self.wrong) or len(self.cases) >= wanted, within=60)
        assert self.wrong == []


@pytest.fixture
async def town(tmp_path: Path) -> AsyncIterator[Settings]:
    """A town with worker and API as processes; departments have systems of their own, which do not answer."""
    ours = [process for process in forked(PROCESSES) if process.name in {"worker", "api"}]
    async with open_town(TownOptions(data=tmp_path / "town", processes=ours, demo=True, durable=False)) as opened:
        yield opened.settings


async def test_every_key_changes_under_load_without_an_error(town: Settings) -> None:
    """Payload, vault, stamp, token and department keys are changed while cases are reported, read and answered.

    Not one request fails, no workflow task fails for it, and what comes after is closed and signed with the new keys.
    """
    folder, department = town.key_folder, Counterpart.DEPARTMENT
    keys = Keys.of(town)
    async with httpx.AsyncClient(base_url=town.api_url, timeout=30) as http, await open_pool(town) as pool:
        first = load_counterpart_keys(folder, [BUREAU], department).signing(BUREAU)
        load = Load(http, town, keys, first)
        running = [asyncio.create_task(load.run()) for _ in range(2)]
        try:
            await load.goes_on()
            new = dict.fromkeys((Rotated.PAYLOAD, Rotated.STAMPS, Rotated.TOKENS, Rotated.VAULT), "")
            for ring in new:
                new[ring] = rotate_key(folder, ring)
                await load.goes_on()
            rotated = time.monotonic()
            wrapped = await rewrap_persons(pool, keys.vault)
            await load.goes_on()
            (old_mark,) = marks_of(folder, BUREAU, department)
            mark = new_counterpart_key(folder, BUREAU, department)
            load.department_key = load_counterpart_keys(folder, [BUREAU], department).believed(BUREAU)[1]
            await load.goes_on()
            sign_with(folder, BUREAU, department, mark)
            drop_counterpart_key(folder, BUREAU, department, old_mark)
            # A fast machine is here before the second is over for which a process may use the key before.
            await eventually(lambda: time.monotonic() > rotated + LOOK_SECONDS)
            await load.goes_on()
        finally:
            load.stopped = True
            await asyncio.gather(*running)
        last = load.cases[-1]
        assert load.wrong == []
        assert wrapped > 0
        assert await _key_ids(town, keys, last) == {new[Rotated.PAYLOAD]}
        body = await pool.fetchval("select body from ledger where case_id = $1 order by seq limit 1", last)
        assert json.loads(body)["stamp"]["key_id"] == new[Rotated.STAMPS]
        assert keys.token_key()[0] == new[Rotated.TOKENS]
        masters = await pool.fetch("select distinct master_key_id from persons")
        assert [row["master_key_id"] for row in masters] == [new[Rotated.VAULT]]
        assert await _failed_tasks(town, keys, load.cases) == []


async def _key_ids(town: Settings, keys: Keys, case_id: str) -> set[str]:
    """The ids of the keys that closed what stands in a case's first event."""
    client = await connect(town, keys)
    async for event in client.get_workflow_handle(case_id).fetch_history_events():
        payloads = event.workflow_execution_started_event_attributes.input.payloads
        return {payload.metadata["encryption-key-id"].decode() for payload in payloads}
    return set()


async def _failed_tasks(town: Settings, keys: Keys, cases: list[str]) -> list[str]:
    """Why workflow tasks failed; one that did not come to its end within two seconds says only that the machine is busy."""
    client = await connect(town, keys)
    why = [
        str(await client.data_converter.decode_failure(event.workflow_task_failed_event_attributes.failure))
        for case_id in cases
        async for event in client.get_workflow_handle(case_id).fetch_history_events()
        if event.HasField("workflow_task_failed_event_attributes")
    ]
    return [each for each in why if "TMPRL1101" not in each]
