"""The fixture `told`: what becomes of a command between the history and the ledger."""

import asyncpg
import pytest
from temporalio.client import Client

from tests.told_town import ToldTown


@pytest.fixture
def told(temporal: Client, pool: asyncpg.Pool) -> ToldTown:
    """The histories and the ledger of the town that all tests share."""
    return ToldTown(temporal, pool)
