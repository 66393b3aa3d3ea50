"""Temporal's dev server as a town runs it: what a database file of an earlier version still lacks is added."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from temporalio.api.operatorservice.v1 import ListSearchAttributesRequest
from temporalio.client import Client
from temporalio.common import SearchAttributeKey, SearchAttributePair, TypedSearchAttributes

from local.town.child import Step
from local.town.ports import hold_ports
from local.town.supervisor import Supervisor
from local.town.temporal_server import LocalTemporal, TemporalUnusable


@asynccontextmanager
async def server(folder: Path, attributes: Mapping[str, str]) -> AsyncIterator[Client]:
    """A server on the folder's database file."""
    names = ("port", "ui_port", "http_port", "metrics_port")
    with hold_ports(names, None, {}) as ports:
        temporal = LocalTemporal(
            folder=folder,
            port=ports["port"],
            ui_port=ports["ui_port"],
            http_port=ports["http_port"],
            metrics_port=ports["metrics_port"],
            durable=False,
            namespace="default",
            search_attributes=attributes,
        )
        prepare = Step("namespace", temporal.prepare_namespace, after=("temporal",))
        supervisor = Supervisor(folder, [temporal.child(), prepare])
        try:
            await supervisor.start()
            yield await Client.connect(temporal.address)
        finally:
            await supervisor.stop()


async def test_search_attribute_of_a_newer_version_is_added_to_an_old_town(tmp_path: Path) -> None:
    """A town founded before an attribute existed gets it at its next start, and a case can use it at once."""
    async with server(tmp_path, {"Stage": "Keyword"}):
        pass
    async with server(tmp_path, {"Stage": "Keyword", "DueAt": "Datetime", "Areas": "KeywordList"}) as client:
        listed = await client.operator_service.list_search_attributes(ListSearchAttributesRequest(namespace="default"))
        assert set(listed.custom_attributes) >= {"Stage", "DueAt", "Areas"}
        areas = SearchAttributePair(SearchAttributeKey.for_keyword_list("Areas"), ["north"])
        attributes = TypedSearchAttributes([areas])
        await client.start_workflow("Any", id="case", task_queue="nobody", search_attributes=attributes)


async def test_search_attribute_of_another_type_ends_the_start(tmp_path: Path) -> None:
    """A type cannot be changed: better no town than one whose cases fail for ever."""
    async with server(tmp_path, {"Stage": "Keyword"}):
        pass
    with pytest.raises(TemporalUnusable, match="another type than this version needs: Stage"):
        async with server(tmp_path, {"Stage": "Int"}):
            pass
