"""The runs of a case that are not archived yet, as Temporal has them: until then they alone vouch for its youngest entries."""

from collections.abc import Sequence

from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from audit.archive.decoded import decoded_events
from audit.archive.manifest import Manifest, manifest_of
from audit.archive.records import Run
from audit.bundle.check_bundle import Values
from engine.execution.codec import data_converter
from engine.keys.keys import Keys


async def live_runs(client: Client, keys: Keys, case_id: str, archived: Sequence[Run]) -> list[Run]:
    """Every run under the number of a case that Temporal has and the archive does not have closed. Raises RPCError.

    Read them before the ledger: for whatever it gave its word it has, and what an answer told it has within minutes. So what a
    history has and the ledger has not is missing.
    """
    closed = {run.manifest["run_id"] for run in archived if run.manifest["closed_at"] is not None}
    wanted = [run.run_id async for run in client.list_workflows(f'WorkflowId = "{case_id}"')]
    if (current := await _current(client, case_id)) is not None and current not in wanted:
        wanted.append(current)  # the list comes a moment later
    found: dict[str, Run] = {}
    hashes = {run.manifest["run_id"]: run.manifest["sha256"] for run in archived}
    while wanted:
        run_id = wanted.pop()
        if run_id in closed or run_id in found:
            continue
        run = await _run(client, keys, case_id, run_id)
        if run is None:
            continue
        found[run_id] = run
        wanted += [each for each in (run.manifest["next_run_id"], run.manifest["previous_run_id"]) if each is not None]
    hashes |= {run_id: run.manifest["sha256"] for run_id, run in found.items()}
    for run in found.values():
        run.manifest["previous_sha256"] = hashes.get(run.manifest["previous_run_id"])
    return list(found.values())


async def _current(client: Client, case_id: str) -> str | None:
    try:
        return (await client.get_workflow_handle(case_id).describe()).run_id
    except RPCError as error:
        if error.status is not RPCStatusCode.NOT_FOUND:
            raise
        return None


async def _run(client: Client, keys: Keys, case_id: str, run_id: str) -> Run | None:
    codec = data_converter(keys).payload_codec
    if codec is None:
        raise TypeError("the town's data converter has a codec")
    try:
        events = list((await client.get_workflow_handle(case_id, run_id=run_id).fetch_history()).events)
    except RPCError as error:
        if error.status is not RPCStatusCode.NOT_FOUND:
            raise
        return None  # retention took it meanwhile: the archive has it, or says that it is missing
    manifest: Manifest = await manifest_of(case_id, run_id, events, None, codec)
    plain: Values = manifest.model_dump(mode="json")
    return Run(row=None, manifest=plain, raw=b"", recorded=events, events=await decoded_events(events, codec))
