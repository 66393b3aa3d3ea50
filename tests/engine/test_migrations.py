"""Migrations: what dbmate says reaches the person who must act, and the password does not."""

from pathlib import Path

import asyncpg
import pytest
from pydantic import SecretStr

from engine.runtime.settings import Settings
from engine.store.migrations import MigrationFailed, migrate


async def test_all_migrations_again_change_nothing(settings: Settings, pool: asyncpg.Pool) -> None:
    """Every start migrates; a database that has everything is left alone."""
    applied = await pool.fetch("SELECT version FROM schema_migrations ORDER BY version")
    await migrate(settings.database_url)

    assert await pool.fetch("SELECT version FROM schema_migrations ORDER BY version") == applied != []


async def test_wrong_migration_is_told_and_leaves_nothing_half_done(
    settings: Settings, pool: asyncpg.Pool, tmp_path: Path
) -> None:
    """The message names the fault, and what the migration did before it is undone."""
    wrong = tmp_path / "29991231000001_wrong.sql"
    wrong.write_text("-- migrate:up\nCREATE TABLE half (id int);\nSELECT nonsense;\n-- migrate:down\n")
    with pytest.raises(MigrationFailed, match='column "nonsense" does not exist'):
        await migrate(settings.database_url, tmp_path)

    assert await pool.fetchval("SELECT to_regclass('half')") is None


async def test_unreachable_database_is_told_without_its_password() -> None:
    """A password, in either spelling, never stands in an error that ends up in a log."""
    url = SecretStr("postgresql://jiceng:s3cr%40t-word@127.0.0.1:9/%zz?s3cr%40t-word=s3cr@t-word")
    with pytest.raises(MigrationFailed) as failure:
        await migrate(url, wait_seconds=1)

    assert "127.0.0.1:9" in str(failure.value)
    assert "***" in str(failure.value)
    assert "t-word" not in str(failure.value)
