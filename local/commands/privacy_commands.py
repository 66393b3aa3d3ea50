"""`jiceng privacy …`: what the town holds of a person, erasing them, who is due for it, and the record of all that.

A person is named by reference, or found by an identity that is typed in or comes by standard input: what stands on a command
line stands in histories and process lists. Exit codes: 0 done; 1 refused, and says why; 2 the command line is wrong.
"""

import getpass
import sys
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Annotated

import asyncpg
import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from engine.keys.keys import Keys
from engine.policies.document_policy import load_document_policy
from engine.policies.privacy_policy import load_privacy_policy
from engine.runtime.settings import Settings
from engine.runtime.town_clock import read_town_time
from engine.store.database import open_pool
from engine.vault.documents import Documents, DocumentsAway, open_store
from engine.vault.person_identity import IdentityKind, IdentityUnusable, PersonIdentity
from engine.vault.privacy import Persons
from engine.vault.privacy_log import entries, verify_privacy_log
from engine.vault.vault import PersonUnknown, Vault
from engine.vault.vault_seal import VaultFault
from local.town.cli_errors import run_told, told_town
from local.town.private_file import write_private
from local.town.typed_codes import typed_number
from schemas.kernel.privacy import NamedAs
from schemas.values.actor import Actor, Role
from schemas.values.references import PersonReference
from schemas.values.tidy_text import is_blank
from workflows.registry import PROCEDURES

Data = Annotated[Path, typer.Option("--data", envvar="JICENG_DATA", help="folder of the local town")]
Json = Annotated[bool, typer.Option("--json", help="print JSON")]
Who = Annotated[
    str, typer.Argument(metavar="PERSON", help="person:… or account, phone, identity_number: then it is asked for")
]
Basis = Annotated[
    str, typer.Option(help="the law or request it rests on, such as 个人信息保护法第四十七条; names nobody")
]
TOWN = Path("town")
_NAMED: Mapping[str, Callable[[str], PersonIdentity]] = {
    IdentityKind.ACCOUNT: PersonIdentity.account,
    IdentityKind.PHONE: PersonIdentity.phone,
    **{
        kind: partial(PersonIdentity.document, kind)
        for kind in IdentityKind
        if kind not in {IdentityKind.ACCOUNT, IdentityKind.PHONE}
    },
}

console = Console(soft_wrap=True)
errors = Console(stderr=True, soft_wrap=True)
privacy_app = typer.Typer(no_args_is_help=True, help="隐私 Persons: what we hold of one, erasing, who is due for it.")


@privacy_app.command()
def export(
    person: Who,
    out: Annotated[Path | None, typer.Option(help="write it there, readable for its owner only")] = None,
    case: Annotated[
        str | None,
        typer.Option(
            callback=typed_number, help="only what stands in this case: where several people share a phone number"
        ),
    ] = None,
    data: Data = TOWN,
) -> None:
    """导出 Everything that the town holds of a person, as JSON. That it was read is recorded."""
    run_told(_export(_Office(told_town(data)), person, out, case))


@privacy_app.command()
def erase(
    person: Who,
    basis: Basis,
    everybody: Annotated[  # noqa: FBT002 - an option
        bool, typer.Option("--everybody", help="of a phone number that several people gave: all of them")
    ] = False,
    data: Data = TOWN,
) -> None:
    """清除 Destroy a person's key, and with it every text and document of theirs, for ever. Refused while a case runs."""
    run_told(_erase(_Office(told_town(data)), person, basis, everybody=everybody))


@privacy_app.command()
def due(
    erase_them: Annotated[bool, typer.Option("--erase", help="erase all that are listed")] = False,  # noqa: FBT002 - an option
    basis: Annotated[str | None, typer.Option(help="with --erase: what it rests on")] = None,
    data: Data = TOWN,
    as_json: Json = False,  # noqa: FBT002 - an option
) -> None:
    """到期 Who has been kept long enough (policies/privacy.yaml). Nobody is erased unless you say so."""
    if erase_them and (basis is None or is_blank(basis)):
        raise typer.BadParameter("--erase needs --basis")
    run_told(_due(_Office(told_town(data)), basis if erase_them else None, as_json=as_json))


@privacy_app.command()
def log(data: Data = TOWN, as_json: Json = False) -> None:  # noqa: FBT002 - an option
    """记录 Who was erased, refused or given out, when, by whom, on which basis; and whether the record is whole."""
    run_told(_log(_Office(told_town(data)), as_json=as_json))


class SharedPhone(VaultFault):
    """Several people gave this number."""

    def __init__(self, named: Sequence[NamedAs], choice: str) -> None:
        """`choice`: the option that says which of them is meant."""
        listed = ", ".join(f"{each.case_id} ({each.who}: {each.name})" for each in named)
        super().__init__(f"此号码由多人共用 several people gave this number; say {choice}. Their cases: {listed}")


@dataclass(frozen=True)
class _Office:
    """The town in which it is done, and who does it: the account of this machine, since nobody signs in here."""

    settings: Settings

    @property
    def by(self) -> Actor:
        return Actor(subject=f"machine:{getpass.getuser()}", role=Role.ADMIN)

    def now(self) -> datetime:
        return read_town_time(self.settings).to_town(datetime.now(UTC))

    @asynccontextmanager
    async def persons(self) -> AsyncIterator[tuple[Persons, asyncpg.Pool, Vault]]:
        keys = Keys.of(self.settings)
        vault = Vault(keys)
        documents = Documents(vault, keys, open_store(self.settings), load_document_policy(self.settings.policies))
        async with await open_pool(self.settings, process="jiceng privacy") as pool:
            yield Persons(pool, vault, documents), pool, vault


async def _export(office: _Office, person: str, out: Path | None, case: str | None) -> None:
    async with office.persons() as (persons, pool, vault):
        with _told():
            reference = await _reference(pool, vault, person)
            if case is None:
                await _one_person(persons, person, reference, office.by, "--case CASE")
            found = await persons.export(reference, office.by, office.now(), case)
    if found.shared:
        errors.print("注意 several names were stated under this identity: look whose each statement is")
    text = found.model_dump_json(indent=2)
    if out is None:
        typer.echo(text)
        return
    write_private(out, text + "\n")
    console.print(f"{out}: {len(found.texts)} texts, {len(found.documents)} documents, {len(found.cases)} cases")


async def _erase(office: _Office, person: str, basis: str, *, everybody: bool) -> None:
    if is_blank(basis):
        raise typer.BadParameter("--basis is blank")
    async with office.persons() as (persons, pool, vault):
        with _told():
            reference = await _reference(pool, vault, person)
            if not everybody:
                await _one_person(persons, person, reference, office.by, "--everybody")
            done = await persons.erase(reference, office.by, basis.strip(), office.now())
    before = f", before, by {done.erased_by}: {done.basis}" if done.repeated else ""
    console.print(
        f"已清除 {done.person}: erased on {done.erased_at:%Y-%m-%d}{before}; {done.texts} texts, {done.documents} documents"
    )
    if done.also:
        console.print(f"也请查看 by the accounts of their cases the vault has also: {' '.join(done.also)}")


async def _one_person(persons: Persons, asked: str, reference: PersonReference, by: Actor, choice: str) -> None:
    """Refuse a phone number that several people gave: what is kept under it is not one person's alone."""
    if asked != IdentityKind.PHONE:
        return
    named = await persons.named_as(reference, by)
    if len({each.who for each in named}) > 1:
        raise SharedPhone(named, choice)


async def _due(office: _Office, basis: str | None, *, as_json: bool) -> None:
    procedures = [case.procedure for case in PROCEDURES]
    policy = load_privacy_policy(office.settings.policies, procedures)
    async with office.persons() as (persons, _, _):
        found = await persons.due(policy, procedures, office.now())
        table = Table("人员 person", "到期 due since", "案件 cases", title="到期应清除 Due for erasure")
        for each in found:
            if as_json:
                typer.echo(each.model_dump_json())
            table.add_row(each.person, f"{each.due_since:%Y-%m-%d}", " ".join(each.cases))
            if basis is not None:
                with _told():
                    await persons.erase(each.person, office.by, basis, office.now())
    if not as_json:
        console.print(table)
        console.print(f"{len(found)} 人 ({len(found)} persons{', erased' if basis else ''})")


async def _log(office: _Office, *, as_json: bool) -> None:
    async with office.persons() as (_, pool, _):
        async with pool.acquire() as connection:
            found = await entries(connection)
        checks = [finding async for finding in verify_privacy_log(pool)]
    for entry in found:
        if as_json:
            typer.echo(entry.model_dump_json())
        else:
            words = f"{entry.seq} {entry.at:%Y-%m-%d %H:%M} {entry.actor.subject} {entry.kind} {entry.facts['person']}"
            console.print(f"{words} {entry.facts.get('basis', '')}", markup=False)
    for finding in checks:
        errors.print(f"{'✓' if finding.ok else '✗'} {finding.check}: {finding.detail}", markup=False)
    if not all(finding.ok for finding in checks):
        raise typer.Exit(1)


async def _reference(pool: asyncpg.Pool, vault: Vault, person: str) -> PersonReference:
    if person not in set(IdentityKind):
        return person
    kind = IdentityKind(person)
    given = getpass.getpass(f"{kind}: ") if sys.stdin.isatty() else sys.stdin.readline()
    async with pool.acquire() as connection:
        found = await vault.find_person(connection, _NAMED[kind](given.strip()))
    if found is None:
        raise PersonUnknown(f"By that {kind}; somebody who was erased is found by reference only.")
    return found


@contextmanager
def _told() -> Iterator[None]:
    """What a person can mend is told as a sentence, and ends the command with 1."""
    try:
        yield
    except (VaultFault, IdentityUnusable, DocumentsAway) as fault:
        errors.print(f"[red]{escape(str(fault) or fault.__doc__ or '')}[/red]")
        raise typer.Exit(1) from None
