"""The description of the API against the API itself: schemathesis sends all that it allows and much that it does not."""

import asyncio
import json
import os
import re
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from engine.keys.keys import Keys
from engine.keys.tokens import issue
from engine.runtime.settings import PROJECT
from local.town.town import Town, TownOptions, open_town
from local.town.town_processes import PROCESSES as RUNNING
from schemas.values.actor import Role
from tests.api_driver import ApiDriver, token_of
from tests.forked import forked
from tests.sampling import chosen
from workflows.registry import PROCEDURES

pytestmark = pytest.mark.timeout(1800)
THEIR_OWN = "resident-he"
"""Who applies for the benefit in the examples: a resident who has a case."""

AT_EACH_COMMIT = 4
"""Of so many procedures the commands are sent."""

ROLES = [role for role in Role if role is not Role.ENGINE]
_SUMMARY = re.compile(r"^=+ SUMMARY =+$.*", re.MULTILINE | re.DOTALL)

CONFIGURATION = """
request-timeout = 60
suppress-health-check = ["all"]

[parameters]
"path.case_id" = "{case_id}"
"query.timeout" = 1.0

[checks.positive_data_acceptance]
# Many rules are none that a schema could say: what is blank, what a policy allows, what a case is ready for, what a file is.
expected-statuses = ["2xx", "3xx", "401", "403", "404", "409", "415", "422", "429", "503"]

[checks.missing_required_header]
# It takes the token, which it is made to send, for left out; that each is asked for is in tests/api/test_access_matrix.py.
enabled = false

[[operations]]
include-path = "/api/v1/incidents:batch"
# Each line has an answer of its own: what is wrong with one is no fault of the request.
checks.negative_data_rejection.enabled = false

[[operations]]
include-path = "/api/v1/commands:batch"
checks.negative_data_rejection.enabled = false
"""
OPERATION = """
[[operations]]
include-path = "/api/v1/cases/{{case_id}}/commands/{command}"
parameters = {{ "path.case_id" = "{case_id}" }}
"""


@pytest.fixture(scope="module")
async def town(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Town]:
    """A town of its own with simulated departments, sources and bank, and nobody who acts by himself."""
    processes = [process for process in forked(RUNNING) if process.name != "people"]
    data = tmp_path_factory.mktemp("every-request")
    async with open_town(TownOptions(data=data, durable=False, demo=True, processes=processes)) as opened:
        yield opened


@pytest.fixture(scope="module")
async def configuration(town: Town, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file that says which case each command is for: one of its procedure."""
    keys = Keys.load(town.settings.key_folder)

    token = token_of(keys)

    of_command: dict[str, str] = {}
    async with httpx.AsyncClient(base_url=town.addresses.api, timeout=60) as api:
        for case in PROCEDURES:
            if case.procedure.parent is None:
                case_id = await ApiDriver(api, token, case.procedure).start()
                given = {rule.command for rule in case.procedure.rules if {by.role for by in rule.by} != {Role.ENGINE}}
                of_command = dict.fromkeys(given, case_id) | of_command
                first = next(iter(of_command.values()))
    file = tmp_path_factory.mktemp("schemathesis") / "schemathesis.toml"
    lines = [OPERATION.format(command=command, case_id=case_id) for command, case_id in of_command.items()]
    file.write_text(CONFIGURATION.format(case_id=first) + "".join(lines), encoding="utf-8")
    return file


async def schemathesis(town: Town, configuration: Path, role: Role, *options: str) -> tuple[int | None, str]:
    """Send everything as somebody of a role; the exit code, and what it says."""
    token = issue(
        Keys.load(town.settings.key_folder),
        subject=THEIR_OWN if role is Role.RESIDENT else f"{role}-schemathesis",
        role=role,
        department="urban-management" if role is Role.DEPARTMENT_OFFICER else None,
    )
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "schemathesis.cli", "--config-file", str(configuration), "run"),
        *(f"{town.addresses.api}/openapi.json", "-H", f"Authorization: Bearer {token}"),
        *("--continue-on-failure", "--seed", "7", *options),
        cwd=configuration.parent,
        env=os.environ | {"SCHEMATHESIS_HOOKS": "tests.every_request_hooks", "PYTHONPATH": str(PROJECT)},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said, _ = await process.communicate()
    return process.returncode, said.decode()


async def kept_whole(town: Town, configuration: Path, role: Role, *options: str) -> None:
    """Nothing is answered otherwise than described; no fault of ours comes out."""
    code, said = await schemathesis(town, configuration, role, *options)
    (configuration.parent / f"{role}.txt").write_text(said, encoding="utf-8")
    if summary := _SUMMARY.search(said):
        print(role, json.dumps(re.sub(r"\s*\n\s*", " · ", summary[0])[:1500], ensure_ascii=False))  # noqa: T201 - asked for
    assert code == 0, said[-20_000:]


def left_out() -> str:
    """The commands that no procedure has whose commands are sent at this commit: how a command is taken in is the same for all."""
    commands = {case.procedure.name: set(case.procedure.commands) for case in PROCEDURES}
    now = set().union(*(commands[name] for name in chosen(commands, AT_EACH_COMMIT, "every request")))
    return f"/commands/({'|'.join(sorted(set().union(*commands.values()) - now))})$"


async def test_every_operation_answers_as_described(town: Town, configuration: Path) -> None:
    """The examples of the description and a few made-up requests for each operation, as a supervisor.

    Of the commands those of some procedures, by the seed.
    """
    what = ("--phases", "examples,fuzzing", "--max-examples", "2", "--exclude-path-regex", left_out())
    await kept_whole(town, configuration, Role.SUPERVISOR, *what)


@pytest.mark.long
@pytest.mark.parametrize("role", ROLES)
async def test_every_operation_answers_every_role_as_described(town: Town, configuration: Path, role: Role) -> None:
    """Examples, every edge of every schema and made-up requests, right and wrong ones, in each role."""
    await kept_whole(town, configuration, role, "--phases", "examples,coverage,fuzzing", "--max-examples", "8")
