"""States of cases that an API keeps between two questions: never an old one, never too many."""

from temporalio.client import Client

from engine.keys import Keys
from schemas.incident import INCIDENT
from starter.case_states import KEPT_AT_MOST, CaseStates
from tests.api_callers import OwnTown, api_of, callers
from tests.test_intake import working

pytest_plugins = ("tests.api_fixture",)


async def test_a_row_that_was_written_anew_is_shown_as_it_is_now(
    own_town: OwnTown, keys: Keys, temporal: Client
) -> None:
    """Also where no entry was added, as when the projection is rebuilt from the ledger: what was read before is old."""
    async with api_of(own_town.build()) as http, working(own_town, keys, temporal):
        resident = callers(http, keys)()
        case = (await resident.report()).json()["case_id"]
        before = (await resident.get(f"/api/v1/cases/{case}", wait="stage:dispatched")).json()
        await own_town.pool.execute(
            "update cases set snapshot = jsonb_set(snapshot, '{holder}', to_jsonb('mended'::text)) where case_id = $1",
            case,
        )
        after = (await resident.get(f"/api/v1/cases/{case}")).json()

    assert (before["holder"], after["holder"]) == ("department:urban-management", "mended")
    assert before["seq"] == after["seq"]


async def test_of_many_cases_an_api_keeps_the_last_ones_only(own_town: OwnTown, keys: Keys, temporal: Client) -> None:
    """However many cases are asked about, what is kept of them does not grow; and each is found all the same."""
    async with api_of(own_town.build()) as http, working(own_town, keys, temporal):
        case = (await callers(http, keys)().report()).json()["case_id"]
        await callers(http, keys)().get(f"/api/v1/cases/{case}", wait="stage:dispatched")
    await own_town.pool.execute(
        "select flush_case(to_jsonb(cases) || jsonb_build_object('case_id', 'incident-20261122-' || number),"
        " (select jsonb_agg(to_jsonb(ledger)) from ledger where seq = 1), '[]', '', task_at)"
        " from cases, generate_series(500001, 500000 + $1::integer) as number",
        KEPT_AT_MOST,
    )
    states = CaseStates({INCIDENT.name: INCIDENT})
    async with own_town.pool.acquire() as connection:
        found = [
            await states.find(connection, f"incident-20261122-{number}")
            for number in range(500001, 500001 + KEPT_AT_MOST)
        ]
        assert len(states) == KEPT_AT_MOST
        again = await states.find(connection, "incident-20261122-500001")
        first = await states.find(connection, case)

    assert None not in found
    assert again is found[0], "the case has not changed: nobody reads it anew"
    assert first is not None
    assert len(states) == KEPT_AT_MOST
