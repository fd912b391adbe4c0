"""Revisions and tables say the same, on both databases, and an upgrade is all or nothing."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, Table, inspect, text

from cti import migrations
from cti.migrations.__main__ import new_revision
from ticketing.db import Database, metadata
from ticketing.errors import Refused, Unavailable


def differences(connection: Connection) -> list[object]:
    """What Alembic would still change."""
    migrations.load_tables()
    return list(compare_metadata(MigrationContext.configure(connection), metadata))


async def test_an_empty_database_gets_every_table_as_the_metadata_says(empty_url: str) -> None:
    assert await migrations.current(empty_url) is None
    assert await migrations.upgrade(empty_url) == (None, migrations.head())
    assert await migrations.upgrade(empty_url) == (migrations.head(), migrations.head())
    async with migrations.connect(empty_url) as conn:
        assert await conn.run_sync(differences) == []
        tables = set(await conn.run_sync(lambda connection: inspect(connection).get_table_names()))
    assert tables == set(metadata.tables) | {"alembic_version"}


async def test_what_the_revisions_make_equals_create_all(empty_url: str, tmp_path: Path) -> None:
    """Column by column, for what comparing by Alembic leaves out."""

    def columns(connection: Connection) -> dict[str, list[tuple[str, str, bool]]]:
        known = inspect(connection)
        return {
            name: sorted((each["name"], str(each["type"]), each["nullable"]) for each in known.get_columns(name))
            for name in metadata.tables
        }

    migrations.load_tables()
    await migrations.upgrade(empty_url)
    async with migrations.connect(empty_url) as conn:
        made = await conn.run_sync(columns)
        for table in metadata.sorted_tables[::-1]:
            await conn.execute(text(f'DROP TABLE "{table.name}"' + (" CASCADE" if "postgres" in empty_url else "")))
        await conn.run_sync(metadata.create_all)
        assert await conn.run_sync(columns) == made


async def test_two_upgrades_at_once_give_one_schema(empty_url: str) -> None:
    results = await asyncio.gather(migrations.upgrade(empty_url), migrations.upgrade(empty_url))
    assert sorted(results, key=str) == [(migrations.head(), migrations.head()), (None, migrations.head())]


async def test_a_newer_database_is_refused(empty_url: str) -> None:
    await migrations.upgrade(empty_url)
    async with migrations.connect(empty_url) as conn:
        await conn.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(Refused, match="newer_database"):
        await migrations.upgrade(empty_url)


BROKEN = """
from alembic import op
import sqlalchemy as sa
revision, down_revision, branch_labels, depends_on = "0001", None, None, None
def upgrade() -> None:
    op.create_table("half", sa.Column("id", sa.Integer, primary_key=True))
    op.execute("SELECT * FROM not_there")
"""

REBUILD = """
from alembic import op
import sqlalchemy as sa
revision, down_revision, branch_labels, depends_on = "0002", "0001", None, None
def upgrade() -> None:
    with op.batch_alter_table("parent") as batch:
        batch.alter_column("name", type_=sa.String(99), existing_type=sa.String(10))
"""

FAMILY = """
from alembic import op
import sqlalchemy as sa
revision, down_revision, branch_labels, depends_on = "0001", None, None, None
def upgrade() -> None:
    op.create_table("parent", sa.Column("id", sa.Integer, primary_key=True), sa.Column("name", sa.String(10)))
    op.create_table("child", sa.Column("of", sa.Integer, sa.ForeignKey("parent.id", ondelete="CASCADE")))
"""


async def test_an_upgrade_that_fails_changes_nothing(empty_url: str, tmp_path: Path) -> None:
    (tmp_path / "0001_broken.py").write_text(BROKEN)
    with pytest.raises(Unavailable, match="not_there"):
        await migrations.upgrade(empty_url, versions=tmp_path)
    async with migrations.connect(empty_url) as conn:
        assert await conn.run_sync(lambda connection: inspect(connection).get_table_names()) == []


async def test_rebuilding_a_table_keeps_the_rows_that_point_to_it(empty_url: str, tmp_path: Path) -> None:
    (tmp_path / "0001_family.py").write_text(FAMILY)
    await migrations.upgrade(empty_url, versions=tmp_path)
    async with migrations.connect(empty_url) as conn:
        await conn.execute(text("INSERT INTO parent VALUES (1, 'a')"))
        await conn.execute(text("INSERT INTO child VALUES (1)"))
    (tmp_path / "0002_rebuild.py").write_text(REBUILD)
    await migrations.upgrade(empty_url, versions=tmp_path)
    async with migrations.connect(empty_url) as conn:
        assert (await conn.execute(text("SELECT count(*) FROM child"))).scalar_one() == 1


async def test_a_generated_first_revision_gives_the_tables(empty_url: str, tmp_path: Path) -> None:
    path = await new_revision("first schema", tmp_path)
    assert path.name == "0001_first_schema.py"
    await migrations.upgrade(empty_url, versions=tmp_path)
    async with migrations.connect(empty_url) as conn:
        assert await conn.run_sync(differences) == []
    assert (await new_revision("nothing", tmp_path)).read_text().count("    pass\n") == 2


async def test_an_unreachable_database_is_named() -> None:
    with pytest.raises(Unavailable):
        await migrations.current("postgresql://hotline@127.0.0.1:1/none")


async def test_the_upgraded_database_opens_for_work(empty_url: str) -> None:
    await migrations.upgrade(empty_url)
    database = await Database.open(empty_url)
    async with database.read() as conn:
        table: Table = metadata.tables["staff"]
        assert (await conn.execute(table.select())).all() == []
    await database.close()


async def test_a_start_that_changes_nothing_does_not_read_every_row(tmp_path: Path) -> None:
    """The check of all keys, a minute at five million orders, belongs to an upgrade; there it still refuses (F27)."""
    url, versions = f"sqlite:///{tmp_path / 'large.db'}", tmp_path / "versions"
    versions.mkdir()
    (versions / "0001_family.py").write_text(FAMILY)
    await migrations.upgrade(url, versions=versions)
    async with migrations.connect(url) as conn:  # keys are not looked at here: an orphan shows who looks
        await conn.execute(text("INSERT INTO child VALUES (7)"))
    assert await migrations.upgrade(url, versions=versions) == ("0001", "0001")
    (versions / "0002_rebuild.py").write_text(REBUILD)
    with pytest.raises(Refused, match="broken_keys"):
        await migrations.upgrade(url, versions=versions)
