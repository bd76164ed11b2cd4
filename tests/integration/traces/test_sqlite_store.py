"""The SQLite span store keeps the contract; and what only it does."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from stockpot.core.errors import ConfigError, Conflict
from stockpot.traces.models import TraceFilter
from stockpot.traces.store import Batch, upkeep
from stockpot.traces.store.embedded import SqliteSpanStore
from stockpot.traces.store.orders import Expire
from stockpot.traces.store.sqlite import DriverError, connect
from tests.integration.traces.bills_contract import BillsContract
from tests.integration.traces.inside_contract import InsideContract
from tests.integration.traces.once_contract import OnceContract
from tests.integration.traces.shadow_contract import ShadowContract
from tests.integration.traces.shape_contract import ShapeContract
from tests.integration.traces.span_store_contract import (
    EVERYTHING,
    HOUR_NS,
    Clock,
    Opener,
    SpanStoreContract,
    clock,
    everything,
    rows,
    ship,
    store,
)
from tests.integration.traces.subjects_contract import SubjectsContract
from tests.integration.traces.units_contract import UnitsContract
from tests.integration.traces.upkeep_contract import UpkeepContract, perform, spoken
from tests.unit.traces.made import AT_NS, make_shipped, make_span

__all__ = ["clock", "store"]
pytestmark = pytest.mark.integration


@pytest.fixture
def opener(tmp_path: Path) -> Opener:
    return lambda clock: SqliteSpanStore(tmp_path / "spans", clock=clock)


class TestSqlite(
    SpanStoreContract,
    BillsContract,
    InsideContract,
    OnceContract,
    ShadowContract,
    ShapeContract,
    SubjectsContract,
    UpkeepContract,
    UnitsContract,
):
    """Runs the whole contract."""


def sql(path: Path, statement: str) -> list[tuple[object, ...]]:
    connection = connect(path)
    try:
        return connection.execute(statement).fetchall()
    finally:
        connection.close()


def test_two_writers_are_one_too_many(store: SqliteSpanStore, opener: Opener, clock: Clock) -> None:
    ship(store, make_shipped(1))
    second = opener(clock)
    with pytest.raises(Conflict, match="already writes"):
        ship(second, make_shipped(2), stream="other-0-1")
    assert len(rows(second)) == 1
    second.close()


def test_the_lock_is_free_after_closing(opener: Opener, clock: Clock) -> None:
    first, second = opener(clock), opener(clock)
    ship(first, make_shipped(1))
    first.close()
    assert ship(second, make_shipped(2), begin=100).taken
    second.close()


def test_payloads_that_ran_ahead_of_a_failed_commit_are_cut_and_come_again(
    store: SqliteSpanStore, tmp_path: Path
) -> None:
    ship(store, make_shipped(1, said=("first", "one")))
    spans = tmp_path / "spans/spans.db"
    sql(spans, "CREATE TRIGGER full BEFORE INSERT ON spans BEGIN SELECT raise(ABORT, 'full'); END")
    item = make_shipped(2, said=("second", "two"))
    with pytest.raises(DriverError, match="full"):
        ship(store, item, begin=100)
    assert rows(store, TraceFilter(q="second")) == []
    (file,) = (tmp_path / "spans/payloads").glob("*.db")
    assert sql(file, "SELECT count(*) FROM payloads") == [(1,)]
    sql(spans, "DROP TRIGGER full")
    assert ship(store, item, begin=100).taken
    assert len(rows(store, TraceFilter(q="second"))) == 1
    assert store.audit().problems == ()


def test_payloads_without_spans_are_cut_when_a_writer_starts(
    opener: Opener, clock: Clock, tmp_path: Path
) -> None:
    first = opener(clock)
    ship(first, make_shipped(1, said=("first", "one")), make_shipped(2, said=("second", "two")))
    first.close()
    spans = tmp_path / "spans/spans.db"
    for statement in (
        "DELETE FROM spans WHERE id = 2",
        "UPDATE counters SET value = 1 WHERE name = 'spans_in'",
        "UPDATE spool_offsets SET offset = 100",
    ):
        sql(spans, statement)
    second = opener(clock)
    assert ship(second, make_shipped(2, said=("other", "words")), begin=100).taken
    assert rows(second, TraceFilter(q="second")) == []
    assert len(rows(second, TraceFilter(q="other"))) == 1
    second.close()


def test_a_day_has_a_payload_file_of_its_own(
    store: SqliteSpanStore, clock: Clock, tmp_path: Path
) -> None:
    for day in range(3):
        ship(store, make_shipped(day, said=("soup", "yes")), begin=100 * day)
        clock.ns += 24 * HOUR_NS
    names = sorted(path.name for path in (tmp_path / "spans/payloads").glob("*.db"))
    assert len(names) == 3
    assert all(name.endswith(".standard.db") for name in names)


def test_a_deleted_payload_file_leaves_its_spans(
    store: SqliteSpanStore, clock: Clock, tmp_path: Path
) -> None:
    ship(store, make_shipped(1, said=("soup", "yes")))
    clock.ns += 24 * HOUR_NS
    ship(store, make_shipped(2, said=("soup", "no")), begin=100)
    oldest = min((tmp_path / "spans/payloads").glob("*.db"))
    for file in oldest.parent.glob(f"{oldest.name}*"):
        file.unlink()
    assert len(rows(store)) == 2
    assert len(rows(store, TraceFilter(q="soup"))) == 1
    payload = store.payload(make_shipped(1).record.trace_id, make_shipped(1).record.span_id, None)
    assert payload is not None
    assert payload.request is None
    assert store.audit().missing_payloads == 1


def test_a_payload_file_that_was_only_begun_hides_nothing(
    store: SqliteSpanStore, clock: Clock, tmp_path: Path
) -> None:
    ship(store, make_shipped(1, said=("soup", "yes")))
    (tmp_path / "spans/payloads/2099-01-01.standard.db").touch()
    assert len(rows(store, TraceFilter(q="soup"))) == 1


def test_an_overview_reads_no_span(store: SqliteSpanStore, tmp_path: Path) -> None:
    ship(store, make_shipped(1), make_shipped(2))
    sql(tmp_path / "spans/spans.db", "ALTER TABLE spans RENAME TO elsewhere")
    assert store.overview(EVERYTHING, AT_NS / 1e6, AT_NS / 1e6 + 1e6, 60_000).totals.calls == 2


@pytest.mark.parametrize(
    ("statement", "problem"),
    [
        ("DELETE FROM spans WHERE id = 1", "were committed"),
        ("UPDATE rollups SET spans = spans + 1 WHERE width = 60", "rollups by minute"),
        ("UPDATE rollups SET spans = spans + 1 WHERE width = 3600", "rollups by 3600 s"),
        ("UPDATE minutes SET spans = 0", "index of minutes"),
    ],
)
def test_an_audit_tells_what_does_not_agree(
    store: SqliteSpanStore, tmp_path: Path, statement: str, problem: str
) -> None:
    ship(store, make_shipped(1), make_shipped(2))
    assert store.audit().problems == ()
    sql(tmp_path / "spans/spans.db", statement)
    assert any(problem in text for text in store.audit().problems)


def test_a_log_of_a_newer_version_is_left_alone(tmp_path: Path, clock: Clock) -> None:
    SqliteSpanStore(tmp_path, clock=clock).close()
    sql(tmp_path / "spans.db", "PRAGMA user_version = 99")
    with pytest.raises(ConfigError, match="newer stockpot"):
        SqliteSpanStore(tmp_path, clock=clock)


def test_readers_see_whole_batches_while_a_writer_writes(
    store: SqliteSpanStore, opener: Opener, clock: Clock
) -> None:
    other = opener(clock)
    wrong: list[int] = []
    done = threading.Event()

    def read() -> None:
        while not done.is_set():
            count = len(everything(other))
            audit = other.audit()
            if count % 10 or audit.problems:
                wrong.append(count)

    reader = threading.Thread(target=read)
    reader.start()
    for batch in range(12):
        items = (make_shipped(10 * batch + n, said=("soup", "yes")) for n in range(10))
        ship(store, *items, begin=1000 * batch)
    done.set()
    reader.join()
    other.close()
    assert wrong == []


def test_a_caller_cannot_make_series_without_end(store: SqliteSpanStore, tmp_path: Path) -> None:
    made_up = {"target": "", "model": "", "error": "model_not_found"}
    ship(store, *(make_shipped(n, route=f"made-up-{n}", **made_up) for n in range(50)))
    (count,) = sql(tmp_path / "spans/spans.db", "SELECT count(*) FROM series WHERE kind <> '*'")
    assert count == (1,)


def test_series_beyond_the_limit_are_counted_together(
    store: SqliteSpanStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("stockpot.traces.store.rollups._SERIES_LIMIT", 5)
    ship(store, *(make_shipped(n, key_id=f"key_{n}") for n in range(20)))
    found = store.overview(EVERYTHING, AT_NS / 1e6, AT_NS / 1e6 + 1e6, 60_000)
    assert found.totals.calls == 20
    assert "(other)" in {group.key for group in found.by_key}


def test_payloads_of_a_day_go_piece_by_piece_and_a_file_of_one_project_at_once(
    store: SqliteSpanStore, clock: Clock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(upkeep, "_CHUNK", 2)
    folder = tmp_path / "spans/payloads"
    store.append([Batch([spoken(make_span(n, project="menu"), "leek") for n in range(5)])])
    clock.ns += 24 * HOUR_NS
    both = [spoken(make_span(n, project=f"{n % 2}"), "pea") for n in range(10, 15)]
    store.append([Batch(both)])
    clock.ns += 48 * HOUR_NS
    order = Expire("menu", clock.ns, payloads_only=True)
    assert store.perform(order).spans == 2
    assert len(list(folder.glob("*.db"))) == 1, "what nobody else needs goes with the first piece"
    assert [store.perform(order).spans for _ in range(3)] == [2, 1, 0]
    zero = Expire("0", clock.ns, payloads_only=True)
    assert [store.perform(zero).spans for _ in range(3)] == [2, 1, 0]
    assert [len(store.traces(TraceFilter(q=q), limit=9).items) for q in ("leek", "pea")] == [0, 2]
    assert perform(store, Expire("1", clock.ns, payloads_only=True)).spans == 2
    assert list(folder.glob("*.db*")) == []
    assert store.audit().problems == ()
