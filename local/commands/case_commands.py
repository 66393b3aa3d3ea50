"""`jiceng case list|show|command`: cases of a town from the terminal, through its public API like everybody else.

Exit codes: 0 done; 1 the town refused, and says why; 2 the command line is wrong; 3 the town does not answer, nothing is
known to be done; 4 accepted, and not yet carried out.
"""

import asyncio
import json
import uuid
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer
from rich.console import Console

from engine.keys.key_files import KeyFault
from engine.runtime.settings import Settings
from engine.runtime.town_clock import read_town_time
from local.commands.case_screen import case_page, cases_table, plain, refusal_page
from local.commands.terminal_caller import NoToken, tokens_as
from local.simulation.townspeople import Persona
from local.town.running_town import NoTown, known_town
from local.town.typed_codes import typed_code, typed_number
from schemas.values.actor import Role
from starter.cases.views import CaseRow, CommandAnswer
from starter.client import NotSettled, Refused, TownClient, Unavailable, http_client
from starter.intake.submission_views import SubmissionView

REFUSED, NO_ANSWER, WAITING = 1, 3, 4
PATIENCE_SECONDS = 10.0
SETTLE_SECONDS = 20.0
LIST_MAX = 50
WIDTH_WITHOUT_TERMINAL = 170

T = TypeVar("T")

case_app = typer.Typer(no_args_is_help=True, help="案件 Cases of a town: list them, read one, act on it.")
Data = Annotated[Path, typer.Option("--data", envvar="JICENG_DATA", help="folder of the local town")]
Json = Annotated[bool, typer.Option("--json", help="print JSON instead of a table")]
As = Annotated[
    str | None,
    typer.Option(
        "--as",
        metavar="ROLE[:SUBJECT]",
        help="as whom, such as supervisor or resident:wang; where the town has an issuer, JICENG_API_TOKEN_FILE says it",
    ),
]
Department = Annotated[
    str | None,
    typer.Option("--department", callback=typed_code, help="code of the department, for department officers"),
]
Area = Annotated[
    str | None,
    typer.Option("--area", callback=typed_code, help="code of the area of the one who acts; the whole town without"),
]
Case = Annotated[str, typer.Argument(callback=typed_number, help="the number of the case")]
TOWN = Path("town")


@dataclass(frozen=True)
class _Caller:
    """Who acts, in which town. Where its issuer says who somebody is, `account` is not asked."""

    settings: Settings
    account: Persona

    @asynccontextmanager
    async def client(self) -> AsyncIterator[TownClient]:
        """Open a way to the API. Raises KeyFault, NoToken: there is nothing to show there."""
        token = tokens_as(self.settings, self.account)
        async with http_client() as http:
            yield TownClient(self.settings.api_url, token, http, PATIENCE_SECONDS)

    def now(self) -> datetime:
        """Town time."""
        return read_town_time(self.settings).to_town(datetime.now(UTC))


@case_app.command("list")
def list_cases(
    *,
    who: As = None,
    stage: Annotated[str | None, typer.Option(help="such as handling")] = None,
    holder: Annotated[str | None, typer.Option(help="such as department:urban-management or role:grid_worker")] = None,
    of_department: Annotated[
        str | None, typer.Option(callback=typed_code, help="only cases that this department holds")
    ] = None,
    of_area: Annotated[str | None, typer.Option(callback=typed_code, help="only cases of this area")] = None,
    overdue: Annotated[
        bool | None, typer.Option("--overdue/--in-time", help="only those that are late, or not")
    ] = None,
    ended: Annotated[bool | None, typer.Option("--ended/--open", help="only ended, or only open ones")] = None,
    limit: Annotated[int, typer.Option(min=1, help="at the most so many, newest first")] = LIST_MAX,
    department: Department = None,
    area: Area = None,
    data: Data = TOWN,
    as_json: Json = False,
) -> None:
    """列表 The cases that somebody sees, newest first."""
    caller = _caller(data, who, department, area, Role.COORDINATOR)
    given = {
        "stage": stage,
        "holder": holder,
        "department": of_department,
        "area": of_area,
        "overdue": overdue,
        "ended": ended,
    }
    filters = {
        name: str(value).lower() if isinstance(value, bool) else value
        for name, value in given.items()
        if value is not None
    }
    rows = _answer(_rows(caller, filters, limit), as_json=as_json)
    if as_json:
        typer.echo(json.dumps({"items": [row.model_dump(mode="json") for row in rows]}, ensure_ascii=False))
    else:
        _console().print(cases_table(rows, caller.now()), highlight=False)


@case_app.command()
def show(
    *,
    case: Case,
    who: As = None,
    department: Department = None,
    area: Area = None,
    data: Data = TOWN,
    as_json: Json = False,
) -> None:
    """查看 One case: where it stands, its clocks, what may be done, what happened. Who reads texts is on record."""
    caller = _caller(data, who, department, area, Role.COORDINATOR)

    async def read() -> tuple[Any, list[Any]]:
        async with caller.client() as client:
            return await client.case(case), await client.timeline(case)

    view, timeline = _answer(read(), as_json=as_json, case=case)
    if as_json:
        whole = {"case": view.model_dump(mode="json"), "timeline": [each.model_dump(mode="json") for each in timeline]}
        typer.echo(json.dumps(whole, ensure_ascii=False))
    else:
        _console().print(case_page(view, timeline, caller.now()), highlight=False)


@case_app.command()
def command(
    *,
    case: Case,
    name: Annotated[
        str, typer.Argument(metavar="COMMAND", help="such as sign, finish, rate; `case show` lists what is legal")
    ],
    who: As = None,
    body: Annotated[str | None, typer.Option(help="the body as JSON")] = None,
    field: Annotated[
        list[str] | None, typer.Option(help="NAME=VALUE; true and false are what they say, else text")
    ] = None,
    key: Annotated[str | None, typer.Option(help="idempotency key; the same key is the same act")] = None,
    department: Department = None,
    area: Area = None,
    data: Data = TOWN,
    as_json: Json = False,
) -> None:
    """办理 Give a command. A refusal says why, and what is legal instead; its exit code is 1."""
    caller = _caller(data, who, department, area)
    whole, act = _body(body, field or []), key or str(uuid.uuid4())

    async def give() -> CommandAnswer | SubmissionView:
        async with caller.client() as client:
            return await client.command(case, name, whole, act, SETTLE_SECONDS)

    answer = _answer(give(), as_json=as_json, case=case, key=act)
    if as_json:
        typer.echo(answer.model_dump_json())
    elif isinstance(answer, SubmissionView):
        _console().print(
            f"已办理 carried out: {case}; 您不再可见该案 you do not see this case any more", highlight=False
        )
    else:
        _console().print(case_page(answer, [], caller.now()), highlight=False)


async def _rows(caller: _Caller, filters: dict[str, str], limit: int) -> list[CaseRow]:
    rows: list[CaseRow] = []
    async with caller.client() as client:
        async for row in client.cases(**filters):
            rows.append(row)
            if len(rows) == limit:
                break
    return rows


def _caller(
    data: Path, who: str | None, department: str | None, area: str | None, usual: Role | None = None
) -> _Caller:
    """Read `department_officer:li` and find the town. Ends the command where one of them is not to be had.

    `usual`: as whom, where nobody is named.
    """
    named = _account(who, department, area) if who else None
    try:
        settings = known_town(data, "api_url")
    except NoTown as fault:
        raise _end(str(fault), NO_ANSWER) from None
    if named and not settings.local_issuer:
        raise typer.BadParameter(
            "in this town the token in JICENG_API_TOKEN_FILE says as whom: leave it out", param_hint="--as"
        )
    if named is None and usual is None and settings.local_issuer:
        raise typer.BadParameter("say as whom, such as supervisor or resident:wang", param_hint="--as")
    return _Caller(settings, named or _account(usual or Role.COORDINATOR, department, area))


def _account(who: str, department: str | None, area: str | None) -> Persona:
    role, _, subject = (typed_code(who) or "").partition(":")
    roles = [str(each) for each in Role if each is not Role.ENGINE]
    if role not in roles:
        raise typer.BadParameter(f"no role {role!r}; choose one of: {', '.join(roles)}", param_hint="--as")
    if role == Role.DEPARTMENT_OFFICER and not department:
        raise typer.BadParameter("a department officer acts for one department: say which", param_hint="--department")
    return Persona(subject or f"{role}-1", Role(role), department, area)


def _body(body: str | None, fields: list[str]) -> dict[str, Any]:
    """The body from --body and --field together; a field given twice is the last one."""
    try:
        whole = json.loads(body) if body else {}
    except (ValueError, RecursionError):
        raise typer.BadParameter("this is not JSON", param_hint="--body") from None
    if not isinstance(whole, dict):
        raise typer.BadParameter("a body is a JSON object: {…}", param_hint="--body")
    for each in fields:
        name, equals, value = each.partition("=")
        if not (name and equals):
            raise typer.BadParameter(f"{each!r} is not NAME=VALUE", param_hint="--field")
        whole[name] = {"true": True, "false": False}.get(value, value)
    return whole


def _answer(task: Coroutine[Any, Any, T], *, as_json: bool, case: str = "", key: str | None = None) -> T:
    """What the town answered. Ends the command with its exit code where that is not what was asked for."""
    try:
        return asyncio.run(task)
    except Refused as refusal:
        if as_json:
            typer.echo(json.dumps(_refusal_json(refusal), ensure_ascii=False))
        else:
            _console(stderr=True).print(refusal_page(refusal, case.partition("-")[0]), highlight=False)
        raise typer.Exit(REFUSED) from None
    except NotSettled as waiting:
        raise _end(f"已受理,待办理 accepted, not yet carried out: {waiting.submission.status_url}", WAITING) from None
    except Unavailable as fault:
        again = f"; 请用同一幂等键重试 send it again with --key {key}" if key else ""
        raise _end(f"无应答 the town does not answer ({fault}){again}", NO_ANSWER) from None
    except (KeyFault, NoToken) as fault:
        raise _end(str(fault), NO_ANSWER) from None


def _refusal_json(refusal: Refused) -> dict[str, Any]:
    return {
        "refused": refusal.code,
        "status": refusal.status,
        "detail": refusal.detail,
        "stage": refusal.stage,
        "legal_commands": list(refusal.legal_commands),
        "faults": [fault.model_dump(mode="json") for fault in refusal.faults],
    }


def _end(message: str, code: int) -> typer.Exit:
    _console(stderr=True).print(plain(message), style="red", markup=False, highlight=False, soft_wrap=True)
    return typer.Exit(code)


def _console(*, stderr: bool = False) -> Console:
    """A console that does not cut lines when it writes into a file or a pipe."""
    console = Console(stderr=stderr)
    return console if console.is_terminal else Console(stderr=stderr, width=WIDTH_WITHOUT_TERMINAL)
