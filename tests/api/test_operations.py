"""Dashboard and alert rules look at figures that the API shows; the page for operators names each of them."""

import json
import re
from pathlib import Path

import asyncpg
import httpx
import pytest
import yaml

from engine.runtime.metrics import COUNTERS
from engine.runtime.settings import Settings
from tests.api_callers import As, watching
from tests.waiting import eventually

pytest_plugins = ("tests.api_fixture",)
PROJECT = Path(__file__).resolve().parents[2]
METRIC = re.compile(r"jiceng_[a-z_]+")
ONE_OF_MANY = re.compile(r"(max|min)( by \([a-z_, ]+\))? ?\((delta\()?$")


def dashboard() -> list[str]:
    shown = json.loads((PROJECT / "deploy" / "grafana.json").read_text(encoding="utf-8"))
    return [target["expr"] for panel in shown["panels"] for target in panel["targets"]]


def alerts() -> dict[str, str]:
    rules = yaml.safe_load((PROJECT / "deploy" / "alerts.yaml").read_text(encoding="utf-8"))
    return {rule["alert"]: rule["expr"] for group in rules["groups"] for rule in group["rules"]}


async def test_every_metric_of_dashboard_and_alerts_exists(
    http: httpx.AsyncClient, as_: As, settings: Settings
) -> None:
    """What a panel or a rule names is shown at /metrics, under this very name: a rule about nothing never fires."""
    await as_("resident").report()
    text = (await http.get("/metrics", headers=watching(settings))).text
    described = {line.split()[2] for line in text.splitlines() if line.startswith("# TYPE jiceng_")}
    described |= {f"{name}_total" for name in COUNTERS}  # those of the workers
    named = {name for expression in (*dashboard(), *alerts().values()) for name in METRIC.findall(expression)}

    assert len(named) >= 10
    assert {name.removesuffix("_bucket") for name in named} - described == set()


async def test_what_every_api_shows_of_the_town_counts_once(http: httpx.AsyncClient, settings: Settings) -> None:
    """Of several APIs each shows the same open cases: a panel draws one line of them, and a rule fires once."""
    text = (await http.get("/metrics", headers=watching(settings))).text
    gauges = set(re.findall(r"^# TYPE (jiceng_\w+) gauge$", text, re.MULTILINE))
    expressions = [*dashboard(), *alerts().values()]
    found = [(name, one[: one.index(name)]) for one in expressions for name in METRIC.findall(one) if name in gauges]

    assert {"jiceng_open_cases", "jiceng_intake_waiting"} <= {name for name, _ in found}
    assert [name for name, before in found if not ONE_OF_MANY.search(before)] == []


async def test_the_figures_are_those_of_the_books(
    http: httpx.AsyncClient, as_: As, pool: asyncpg.Pool, settings: Settings
) -> None:
    """Open cases are those that have not ended, before a report and with it, whatever other tests' cases do meanwhile."""

    async def as_in_the_books() -> bool:
        open_before = await pool.fetch("select case_id from cases where not ended order by 1")
        text = (await http.get("/metrics", headers=watching(settings))).text
        open_after = await pool.fetch("select case_id from cases where not ended order by 1")
        shown = float(re.findall(r"^jiceng_open_cases (.+)$", text, re.MULTILINE)[0])
        assert open_before != open_after or shown == len(open_after)
        return open_before == open_after

    await eventually(as_in_the_books)
    case_id = (await as_("resident").report()).json()["case_id"]
    await eventually(as_in_the_books)

    assert await pool.fetchval("select not ended from cases where case_id = $1", case_id)


@pytest.mark.parametrize("alert", sorted(alerts()))
def test_every_alert_is_explained(alert: str) -> None:
    """Whoever is woken by a rule finds on one page what it means and what to do."""
    assert f"`{alert}`" in (PROJECT / "docs" / "operations.md").read_text(encoding="utf-8")
