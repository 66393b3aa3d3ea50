"""A case and those that it started, each on the page of the other."""

from datetime import UTC, datetime, timedelta

import asyncpg
import httpx

from console.sign_in.sessions import Sessions
from engine.keys.tokens import Principal
from schemas.summons import SUMMONS
from schemas.values.actor import Role
from tests.api_driver import OpenDoor
from tests.console_browser import signed_in

pytest_plugins = ("tests.api_fixture",)


async def test_parent_and_child_lead_to_each_other(http: httpx.AsyncClient, door: OpenDoor, pool: asyncpg.Pool) -> None:
    """The child names its parent with title and stage; the parent lists the child with holder and due time."""
    town = await door(SUMMONS)
    child = await town.start()
    parent = child.partition(".")[0]
    said = {"department": None, "area": None, "token_id": None, "expires_at": datetime.now(UTC) + timedelta(hours=1)}
    browser = await signed_in(
        http, Sessions(pool), Principal(subject="supervisor-family", role=Role.SUPERVISOR, **said)
    )
    of_child, of_parent = (await browser.get(f"/cases/{child}")).text, (await browser.get(f"/cases/{parent}")).text
    named = of_child.partition("母案")[2].partition("</div>")[0]

    assert parent != child
    assert f'href="/cases/{parent}"' in named
    assert "govuk-tag" in named
    assert f'href="/cases/{child}"' in of_parent.partition("子案")[2]
    assert "母案" not in of_parent
