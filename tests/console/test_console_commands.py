"""Every command of every procedure, for every role: what the form says is what the API says, and nothing that was typed is lost."""

import html
import re
import uuid

import asyncpg
import httpx
import pytest

from console.forms.controls import Control, ControlKind
from console.forms.shapes import controls_of
from console.forms.sheet import CHECKED, KEY
from console.forms.values import body_of
from console.http.languages import Language
from console.http.pages import ENVIRONMENTS
from console.sign_in.sessions import Sessions
from console.staff.final import is_final
from engine.keys.keys import Keys
from engine.keys.tokens import issue
from schemas.contest import CONTEST
from schemas.incident import INCIDENT
from schemas.kernel.procedure import Procedure
from schemas.values.actor import Role
from schemas.welfare import WELFARE
from starter.http.command_bodies import command_body_of
from starter.http.problems import KINDS
from starter.intake.command_forms import CommandForm, CommandForms
from tests.api_driver import OpenDoor, Person, examples
from tests.console_browser import Browser, Texts, main_form, signed_in
from tests.console_driver import principal_of
from tests.every_procedure import some_procedures
from tests.sampling import chosen

pytest_plugins = ("tests.api_fixture",)
pytestmark = pytest.mark.timeout(300)

OUR_SCRIPTS = re.compile(r"""<script (?:type="module" )?src="\{\{ asset\('[a-z_.]+'\) \}\}"(?: defer)?></script>""")
NO_KEY = "no key"
"""Of a form whose key has a blank in it nothing is ever accepted, whatever else stands in it."""

SENT_AT_MOST = 6
"""So many commands of a role are sent at every commit, by the seed: they differ in their fields, and those are few."""


@pytest.fixture
def sessions(pool: asyncpg.Pool) -> Sessions:
    """The sessions of the town."""
    return Sessions(pool)


def each_role(procedure: Procedure) -> list[Person]:
    """One of the people of the examples for each role; of the whole town before those of an area."""
    people = sorted(examples(procedure).PEOPLE.values(), key=lambda person: person.area is not None)
    return list({person.role: person for person in reversed(people)}.values())


def token_of(keys: Keys, person: Person) -> dict[str, str]:
    role = Role(person.role)
    token = issue(keys, subject=person.subject, role=role, department=person.department, area=person.area)
    return {"Authorization": f"Bearer {token}"}


def odd_texts(controls: tuple[Control, ...]) -> Texts:
    """Something in each field that the API says something about, and that a careless page would break on or drop."""
    odd: Texts = {}
    for control in controls:
        match control.kind:
            case ControlKind.LINES | ControlKind.LINE | ControlKind.MONEY | ControlKind.NUMBER | ControlKind.DATA:
                odd[control.place] = [f"\n  <b>&amp;'\"\u0007</b> </textarea>{uuid.uuid4().hex}\n"]
            case ControlKind.RADIOS | ControlKind.SELECT | ControlKind.CHECKBOXES | ControlKind.YES_NO:
                odd[control.place] = [f"none-{uuid.uuid4().hex}"]
            case _:
                continue
    return odd


@some_procedures("forms and the API")
async def test_forms_say_what_the_api_says(
    procedure: Procedure, door: OpenDoor, http: httpx.AsyncClient, keys: Keys, sessions: Sessions
) -> None:
    """Possible is what the API calls possible, anything else is refused in its words; faults are the API's, at their fields.

    Whatever was typed stands in the form that comes back, character by character.
    """
    opened = await door(procedure)
    case_id = await opened.start()
    await opened.stands(case_id)
    shown, sent = 0, 0
    for person in each_role(procedure):
        browser = await signed_in(http, sessions, principal_of(person))
        headers = token_of(keys, person)
        forms = await http.get(f"/api/v1/cases/{case_id}/commands", headers=headers)
        page = await browser.get(f"/cases/{case_id}")
        assert page.status_code == forms.status_code, person
        if forms.status_code == httpx.codes.NOT_FOUND:
            continue
        commands = CommandForms.model_validate_json(forms.content).commands
        for form in commands:
            assert (f"/{case_id}/{form.command}" in page.text) is form.possible, (person.role, form.command)
            shown += await _same_as_api(browser, case_id, form)
        possible = [form for form in commands if form.possible and form.fields]
        for form in chosen(possible, SENT_AT_MOST, f"{procedure.name} {person.role}"):
            sent += await _same_faults(browser, http, headers, procedure, case_id, form)

    assert shown >= len(procedure.commands)
    assert sent > 0


async def _same_as_api(browser: Browser, case_id: str, form: CommandForm) -> int:
    """The page of a command has its form, or the reason why there is none."""
    page = await browser.get(f"/cases/{case_id}/{form.command}")
    if form.possible:
        assert page.status_code == 200, (form.command, page.text)
        names = {name.partition(".")[0] for name in main_form(page.text).names if not name.startswith("_")}
        assert names <= {field.name for field in form.fields}
        assert {field.name for field in form.fields if field.name not in names} <= {
            field.name for field in form.fields if field.kind == "document"
        }
        return 1
    assert form.refusal is not None
    assert page.status_code == KINDS[form.refusal].status, form.command
    assert html.escape(form.reason or "", quote=False) in page.text.replace("&#34;", '"').replace("&#39;", "'")
    return 1


async def _same_faults(
    browser: Browser,
    http: httpx.AsyncClient,
    headers: dict[str, str],
    procedure: Procedure,
    case_id: str,
    form: CommandForm,
) -> int:
    command = procedure.commands[form.command]
    controls = controls_of(command_body_of(command).model, command, {})
    drawn = await browser.form(f"/cases/{case_id}/{form.command}", 1)
    texts = odd_texts(tuple(each for each in controls if each.place in drawn.names))
    drawn.texts |= texts | {KEY: [NO_KEY]}
    answer = await browser.send(drawn, (CHECKED, "1"))
    told = await http.post(
        f"/api/v1/cases/{case_id}/commands/{form.command}", json=body_of(controls, drawn.texts), headers=headers
    )
    assert (answer.status_code, told.status_code) == (422, 422), (form.command, answer.text, told.text)
    page = html.unescape(answer.text)
    for fault in told.json()["faults"]:
        assert fault["reason"] in page or fault["field"] == "Idempotency-Key", (form.command, fault)
    again = main_form(answer.text)
    for place, written in texts.items():
        if place in again.options:
            continue  # what is none of its choices nobody can have chosen; the fault says so
        assert again.texts[place] == written, (form.command, place)
    return 1


@pytest.mark.parametrize(
    ("procedure", "command", "stage", "final"),
    [
        (CONTEST, "reject", "proposed", True),  # it ends there
        (CONTEST, "accept", "proposed", False),
        (CONTEST, "judge", "judging", True),  # the last voice may end it
        (CONTEST, "comment", "proposed", False),
        (INCIDENT, "sign", "dispatched", False),
        (INCIDENT, "withdraw", "dispatched", True),
        (WELFARE, "confirm", "confirming", True),  # money
        (WELFARE, "withdraw_application", "applied", True),
    ],
)
def test_what_is_final_is_looked_at_once_more(procedure: Procedure, command: str, stage: str, final: bool) -> None:  # noqa: FBT001 - as above
    """Read off the table: what may end a case for good, or moves money, is shown once more before it is sent."""
    assert stage in list(procedure.stages)

    assert is_final(procedure, stage, command) is final


@pytest.mark.parametrize("language", Language)
def test_no_template_is_filled_unescaped(language: Language) -> None:
    """What people wrote is text on every page: nothing is marked as safe, and escaping is nowhere switched off.

    A script is a file of ours by its address, and nothing that a template could be filled with.
    """
    environment = ENVIRONMENTS[language]
    assert environment.autoescape is True
    for name in environment.list_templates():
        source = environment.loader.get_source(environment, name)[0] if environment.loader else ""
        assert "| safe" not in source
        assert "|safe" not in source
        assert "autoescape" not in source
        assert "<script" not in OUR_SCRIPTS.sub("", source)
        assert "style=" not in source
        assert "http://" not in source
        assert "https://" not in source
