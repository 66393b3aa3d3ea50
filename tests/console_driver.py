"""The people of a procedure's examples at the console: what they do, they do by its forms."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx

from console.forms.sheet import CHECKED, KEY
from console.sign_in.sessions import Sessions
from engine.keys.tokens import Principal
from schemas.values.actor import Role
from tests.api_driver import ApiDriver, Person, Step
from tests.console_browser import Browser, main_form, signed_in, written


def principal_of(person: Person) -> Principal:
    """Somebody as a session has them."""
    return Principal(
        subject=person.subject,
        role=Role(person.role),
        department=person.department,
        area=person.area,
        token_id=None,
        expires_at=datetime.now(UTC) + timedelta(hours=1),
        identity=person.identity,
    )


@dataclass
class ConsoleDriver(ApiDriver):
    """Opens cases and gives commands through the pages; reads by the API, as every driver."""

    sessions: Sessions | None = None
    browsers: dict[Person, Browser] = field(default_factory=dict)

    async def browser(self, who: str, identity: str | None = None) -> Browser:
        """The browser of somebody of the examples, signed in."""
        person = replace(self.examples.PEOPLE[who], identity=identity or self.examples.PEOPLE[who].identity)
        if person not in self.browsers:
            assert self.sessions is not None
            self.browsers[person] = await signed_in(self.api, self.sessions, principal_of(person))
        return self.browsers[person]

    async def open_case(self, by: str) -> str:
        """Open a case of the procedure by its form, with the report of the examples; its number."""
        report: Mapping[str, Any] = self.examples.REPORT
        if (prepared := getattr(self.examples, "prepared", None)) is not None:
            report = await prepared(self, None, by, str(uuid.uuid4()))
        verified = getattr(self.examples, "verified", None)
        is_resident = self.examples.PEOPLE[by].role == Role.RESIDENT
        browser = await self.browser(by, verified(report) if verified is not None and is_resident else None)
        form = await browser.form(f"/new/{self.procedure.name}", 1)
        form = await browser.filled(form, written(asked_for(report)))
        checked = await browser.send(form)
        assert checked.status_code == 200, checked.text
        sent = await browser.send(main_form(checked.text), (CHECKED, "1"))
        assert sent.status_code == 303, sent.text
        shown = await browser.get(sent.headers["location"])
        return str(shown.text.partition('href="/cases/')[2].partition('"')[0].partition("/")[0])

    async def give(self, case_id: str, step: Step, key: str | None = None) -> httpx.Response:
        """Give a command by its form, looked at once more where that is asked for; the answer as the API would have given it."""
        body = self.examples.BODIES[step.command] if step.body is None else step.body
        if callable(body):
            body = await body(self, case_id, step.by)
        browser, address = await self.browser(step.by), f"/cases/{case_id}/{step.command}"
        page = await browser.get(address)
        if page.status_code != 200:
            return page
        form = await browser.filled(main_form(page.text), written(body))
        form.texts[KEY] = [key or str(uuid.uuid4())]
        answer = await browser.send(form)
        if answer.status_code == 200:
            answer = await browser.send(main_form(answer.text), (CHECKED, "1"))
        if answer.status_code != 303:
            return answer
        return httpx.Response(202 if answer.headers["location"].startswith("/submissions/") else 200)


def asked_for(report: Mapping[str, Any]) -> dict[str, Any]:
    """What a form asks for of a report: by which way it came in follows from who enters it, and there is no map to point at yet."""
    place = report.get("location")
    kept = {name: value for name, value in report.items() if name != "channel"}
    if place is None:
        return kept
    return kept | {"location": {name: value for name, value in place.items() if name not in {"lat", "lon"}}}
