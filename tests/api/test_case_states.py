"""States of cases that an API keeps between two questions: never an old one, never too many."""

from temporalio.client import Client

from engine.keys.keys import Keys
from schemas.incident import INCIDENT
from starter.cases.case_states import KEPT_AT_MOST, CaseStates, CaseText
from starter.cases.reading import Reading
from starter.http.dependencies import provided
from tests.api.test_intake import working
from tests.api_callers import OwnTown, api_of, callers
from tests.waiting import eventually

pytest_plugins = ("tests.api_fixture",)


async def test_a_row_that_was_written_anew_is_shown_as_it_is_now(
    own_town: OwnTown, keys: Keys, temporal: Client
) -> None:
    """Also where no entry was added, as when the projection is rebuilt from the ledger: what was read before is old."""
    async with api_of(own_town.build()) as http, working(own_town, keys, temporal):
        resident = callers(http, keys)()
        case = (await resident.report()).json()["case_id"]
        # The third entry is the receipt of its order: after it the case tells nothing more by itself.
        before = (await resident.get(f"/api/v1/cases/{case}", wait="seq:3")).json()
        await own_town.pool.execute(
            "update cases set snapshot = jsonb_set(snapshot, '{holder}', to_jsonb('mended'::text)) where case_id = $1",
            case,
        )
        after = (await resident.get(f"/api/v1/cases/{case}")).json()

    assert (before["holder"], after["holder"]) == ("department:urban-management", "mended")
    assert before["seq"] == after["seq"]


async def test_what_speaks_against_a_command_is_not_taken_from_memory(
    own_town: OwnTown, keys: Keys, temporal: Client
) -> None:
    """Somebody whose case it has become meanwhile gets in, though the API last read the case when it was another's."""
    async with api_of(own_town.build()) as http, working(own_town, keys, temporal):
        case = (await callers(http, keys)().report()).json()["case_id"]
        await callers(http, keys)().get(f"/api/v1/cases/{case}", wait="stage:dispatched")
        stranger = callers(http, keys)(subject="resident-2")
        before = await stranger.command(case, "withdraw", {"reason": "已自行清理"})

        async def the_case_itself_has_judged() -> bool:
            # The case may tell of its order's receipt in between, and with it once more whose it is.
            await own_town.pool.execute(
                """update cases set snapshot = jsonb_set(snapshot, '{reporter_subject}', '"resident-2"') where case_id = $1""",
                case,
            )
            after = await stranger.command(case, "withdraw", {"reason": "已自行清理"})
            return bool(after.json()["code"] != "unknown-case")

        await eventually(the_case_itself_has_judged)

    assert (before.status_code, before.json()["code"]) == (404, "unknown-case")


async def test_an_end_is_not_taken_from_memory(own_town: OwnTown, keys: Keys, temporal: Client) -> None:
    """Where a final stage was taken back meanwhile, a command gets in, though the API last read the case at its end."""
    async with api_of(own_town.build()) as http, working(own_town, keys, temporal):
        resident = callers(http, keys)()
        case = (await resident.report()).json()["case_id"]
        await resident.command(case, "withdraw", {"reason": "已自行清理"})
        await resident.get(f"/api/v1/cases/{case}", wait="ended")
        count = "select count(*) from intake where command = 'urge'"
        refused, at_the_door = await resident.command(case, "urge"), await own_town.pool.fetchval(count)
        await own_town.pool.execute(
            """update cases set snapshot = snapshot || '{"stage": "dispatched", "ended": false}' where case_id = $1""",
            case,
        )
        await resident.command(case, "urge")
        let_in = await own_town.pool.fetchval(count)

    assert (refused.status_code, refused.json()["code"]) == (409, "case-ended")
    assert (at_the_door, let_in) == (0, 1)


async def test_an_answer_that_comes_late_makes_nothing_older(own_town: OwnTown, keys: Keys, temporal: Client) -> None:
    """Two questions overtake each other: what is kept is what the case told last, until the case is heard of again."""
    async with api_of(own_town.build()) as http, working(own_town, keys, temporal):
        case = (await callers(http, keys)().report()).json()["case_id"]
        await callers(http, keys)().get(f"/api/v1/cases/{case}", wait="stage:dispatched")
        snapshot = await own_town.pool.fetchval("select snapshot::text from cases where case_id = $1", case)
    states = CaseStates({INCIDENT.name: INCIDENT})
    newer = states.learn(case, CaseText(INCIDENT.name, "2", snapshot))
    older = newer.model_copy(update={"seq": newer.seq - 1}).model_dump_json()
    late = states.learn(case, CaseText(INCIDENT.name, "1", older))
    kept = states.recent(case)
    states.forget(case)
    states.learn(case, CaseText(INCIDENT.name, "3", older))

    assert (late.seq, kept) == (newer.seq - 1, newer)
    assert states.recent(case) == late


async def test_a_case_that_has_told_more_is_forgotten(own_town: OwnTown, keys: Keys, temporal: Client) -> None:
    """What was read of a case is taken from memory until it tells more; and not where it may have done so unheard."""
    app = own_town.build()
    states: CaseStates = provided(app, Reading).reader.states
    async with api_of(app) as http, working(own_town, keys, temporal):
        resident = callers(http, keys)()
        case = (await resident.report()).json()["case_id"]
        await resident.get(f"/api/v1/cases/{case}", wait="stage:dispatched")

        async def is_kept() -> bool:
            await resident.get(f"/api/v1/cases/{case}")
            return states.recent(case) is not None

        for what in ("select pg_notify('told', case_id) from cases", _END_WHO_LISTENS):
            await eventually(is_kept)
            await own_town.pool.execute(what)
            await eventually(lambda: states.recent(case) is None)


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


_END_WHO_LISTENS = """
    select pg_terminate_backend(pid) from pg_stat_activity
    where application_name = 'jiceng announcements' and datname = current_database()
"""
