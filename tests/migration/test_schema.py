"""The control plane's schema: from the first revision to the newest, and what the code expects."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

import stockpot
from stockpot.access.store.tables import metadata as access_tables
from stockpot.catalog.store.tables import metadata as catalog_tables
from stockpot.core.db import Database, migrate, newest_revision, open_database, schema_revision
from stockpot.core.errors import ConfigError
from stockpot.core.jobs.store import metadata as job_tables
from stockpot.datasets.store.tables import metadata as dataset_tables
from stockpot.evals.judges.store import metadata as judge_tables
from stockpot.evals.store import metadata as evals_tables
from stockpot.experiments.store.tables import metadata as experiment_tables
from stockpot.feedback.store import metadata as feedback_tables
from stockpot.guardrails.tables import metadata as guardrail_tables
from stockpot.monitors.checks.store import metadata as check_tables
from stockpot.monitors.store.tables import metadata as monitor_tables
from stockpot.pipelines.rightsize.store import metadata as rightsize_tables
from stockpot.playground.store import metadata as playground_tables
from stockpot.prompts.store.tables import metadata as prompt_tables
from stockpot.revisions.store import metadata as revision_tables
from stockpot.traces.keeping.store import metadata as keeping_tables
from stockpot.traces.scores.store import metadata as score_tables
from stockpot.usecases.store import metadata as usecase_tables
from tests.postgres import fresh_database

EXPECTED = [
    access_tables, catalog_tables, revision_tables, score_tables, feedback_tables, monitor_tables,
    dataset_tables, evals_tables, judge_tables, job_tables, keeping_tables, playground_tables,
    prompt_tables, experiment_tables, usecase_tables, check_tables,
    guardrail_tables, rightsize_tables,
]  # fmt: skip
SCRIPTS = ScriptDirectory(str(Path(stockpot.__file__).parent / "migrations"))
REVISIONS = [script.revision for script in reversed(list(SCRIPTS.walk_revisions()))]

# One row of each table as the first release wrote it; a later revision must carry them over.
FIRST_ROWS = """
INSERT INTO users VALUES ('usr_1', 'a@x.org', 'Ana', 'admin', NULL, 1);
INSERT INTO sessions VALUES (x'01', 'usr_1', TRUE, 1, 2);
INSERT INTO sign_in_links VALUES (x'02', 'usr_1', 2);
INSERT INTO sign_in_failures VALUES ('both:a|b', 2, 1);
INSERT INTO api_tokens VALUES ('tok_1', x'03', 'usr_1', 'ci', 'spt_x', 'viewer', 1, NULL, NULL);
INSERT INTO audit_log VALUES ('aud_1', 1, 'ana', 'key.create', 'key_1', '{}');
INSERT INTO projects VALUES ('prj_1', 'default', '', '', 'prompt', '', 'crawl', 'low', '',
                             '["dev"]', 0, 0, 0, 'full', 1);
INSERT INTO virtual_keys VALUES ('key_1', x'04', 'sk-sp-x', 'app', 'default', 'dev', 'active', 0,
                                 '[]', '[]', 0, 0, 0, NULL, 'cancel', 'refuse', 1, 'ana');
INSERT INTO providers VALUES ('lab', 'vllm', 'http://x/v1', x'05', '', '["m"]', 1);
INSERT INTO routes VALUES ('fast', 'chat', '[{"provider": "lab", "model": "m"}]', 3, '[]', '{}', 1);
INSERT INTO budgets VALUES ('bud_1', 'key', 'key_1', 10, 'month', 'closed', 1.0, 0, 3, 0);
INSERT INTO leases VALUES ('bud_1', 'w', 1, 1, 0, 1);
INSERT INTO events VALUES ('evt_1', 1, 'budget', 'info', 'key:key_1', 'half', '{}');
INSERT INTO revisions VALUES (7, 'ff', 1, 'started');
"""


def first_rows(url: str) -> list[str]:
    """The statements; a literal of bytes is spelled otherwise on Postgres."""
    rows = FIRST_ROWS
    if url.startswith("postgres"):
        rows = re.sub(r"x('[0-9a-f]+')", r"decode(\1, 'hex')", rows)
    return [statement for statement in rows.split(";") if statement.strip()]


@pytest.fixture(params=["sqlite", "postgres"])
async def store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Database]:
    postgres = request.param == "postgres"
    opened = open_database(fresh_database() if postgres else f"sqlite:///{tmp_path}/control.db")
    yield opened
    await opened.close()


def rows(connection: sa.Connection) -> dict[str, int]:
    return {
        table: connection.exec_driver_sql(f"SELECT count(*) FROM {table}").scalar() or 0
        for table in sa.inspect(connection).get_table_names()
    }


async def test_every_revision_leads_to_the_newest_and_keeps_what_was_there(store: Database) -> None:
    await store.write(lambda c: migrate(c, REVISIONS[0]))

    def first_release(c: sa.Connection) -> None:
        for statement in first_rows(store.url):
            c.exec_driver_sql(statement)

    await store.write(first_release)
    before = await store.read(rows)
    assert set(before.values()) == {1}
    for revision in REVISIONS[1:]:
        await store.write(lambda c, to=revision: migrate(c, to))
        assert await store.read(schema_revision) == revision
    await store.write(migrate)
    after = await store.read(rows)
    assert {table: after.get(table) for table in before} == before


async def test_what_the_first_release_wrote_can_be_read(store: Database) -> None:
    from stockpot.access.models import AuditFilter
    from stockpot.access.service.audit import AuditService
    from stockpot.access.store import audit, people, tokens
    from stockpot.catalog.store import budgets, journal, keys, projects, providers, routes

    await store.write(lambda c: migrate(c, REVISIONS[0]))
    for statement in first_rows(store.url):
        await store.write(lambda c, sql=statement: c.exec_driver_sql(sql) and None)
    await store.write(migrate)
    assert (await store.read(people.list_users))[0].active
    (token,) = await store.read(lambda c: tokens.list_tokens(c, None, None))
    assert token.scopes == ("read",)
    found = await store.read(lambda c: audit.entries(c, AuditFilter(), None, 5, None))
    assert [entry.action for entry in found] == ["key.create"]
    assert (await AuditService(store).verify()).intact
    assert (await store.read(lambda c: projects.list_projects(c, 5)))[0].name == "default"
    (key,) = await store.read(lambda c: keys.list_keys(c, 5))
    assert key.shown.budget is not None
    assert key.shown.budget.spent_nano == 3
    assert (await store.read(providers.list_providers))[0].models == ("m",)
    assert (await store.read(routes.list_routes))[0].settings.targets[0].model == "m"
    assert await store.read(budgets.leased) == {"bud_1": 1}
    assert (await store.read(lambda c: journal.list_events(c, 5, None)))[0].kind == "budget"
    latest = await store.read(journal.latest_revision)
    assert latest is not None
    assert latest.revision == 7


async def test_the_migrations_build_exactly_what_the_code_expects(store: Database) -> None:
    await store.write(migrate)

    def difference(c: sa.Connection) -> list[object]:
        context = MigrationContext.configure(c, opts={"compare_type": True})
        return list(compare_metadata(context, EXPECTED))

    assert await store.write(difference) == []


async def test_migrating_twice_changes_nothing(store: Database) -> None:
    await store.write(migrate)
    before = await store.read(lambda c: sa.inspect(c).get_table_names())
    await store.write(migrate)
    assert await store.read(lambda c: sa.inspect(c).get_table_names()) == before


async def test_a_store_of_a_newer_version_is_refused_with_what_to_do(store: Database) -> None:
    await store.write(migrate)
    newer = "UPDATE alembic_version SET version_num = '9999'"
    await store.write(lambda c: c.exec_driver_sql(newer) and None)
    with pytest.raises(ConfigError, match="newer version"):
        await store.write(migrate)


async def test_a_migration_that_fails_leaves_nothing_half_done(
    store: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    from alembic import op

    original = op.create_table

    def failing(name: str, *columns: object, **options: object) -> object:
        if name == "routes":
            raise RuntimeError("the disk is full")
        return original(name, *columns, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(op, "create_table", failing)
    with pytest.raises(RuntimeError, match="disk is full"):
        await store.write(migrate)
    assert await store.read(lambda c: sa.inspect(c).get_table_names()) == []


def test_revisions_are_a_line_named_so_that_the_newest_sorts_last() -> None:
    assert sorted(REVISIONS) == REVISIONS
    assert SCRIPTS.get_heads() == [newest_revision()] == [REVISIONS[-1]]
