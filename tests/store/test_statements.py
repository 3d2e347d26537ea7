"""Every statement's plan: nothing walks a big table, nothing sorts."""

import sqlite3
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest

from outdialer.store.sqlite.connect import connect
from outdialer.store.sqlite.migrate import migrate, migrations
from outdialer.store.sqlite.statements import by_number, execute_each, statements

ROOMS = sorted(entry.name.removesuffix(".sql") for entry in (files("outdialer.store.sqlite") / "queries").iterdir())
CHECKS = "check"
"""The checker counts everything on purpose, beside the engine."""
STATEMENTS = [(room, name) for room in ROOMS if room != CHECKS for name in statements(room)]


class Unbound(dict[str, Any]):
    """Any parameter, as null."""

    def __missing__(self, key: str) -> None:
        return None


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    path: Path = tmp_path_factory.mktemp("plans") / "plans.db"
    connection = connect(path)
    migrate(connection, path, migrations())
    yield connection
    connection.close()


def query_plan(database: Any, room: str, name: str) -> list[str]:
    rows = database.execute(f"EXPLAIN QUERY PLAN {statements(room)[name]}", Unbound()).fetchall()
    return [row["detail"] for row in rows]


SMALL = ("SCAN wanted", "SCAN held", "SCAN customers", "SCAN CONSTANT ROW", "SCAN (subquery", "SCAN webhook_states")
"""What may be walked: the list that the caller gave, a row's own list, the customers and their few
webhooks, and what a LIMIT bounds."""


@pytest.mark.parametrize(("room", "name"), STATEMENTS)
def test_statement_walks_nothing_big_and_sorts_nothing(database: Any, room: str, name: str) -> None:
    for step in query_plan(database, room, name):
        assert not step.startswith("SCAN") or step.startswith(SMALL), query_plan(database, room, name)
        assert "USE TEMP B-TREE" not in step, query_plan(database, room, name)


@pytest.mark.parametrize(("room", "name"), STATEMENTS)
def test_statement_enters_its_lists_by_what_was_asked(database: Any, room: str, name: str) -> None:
    """A search that fixes the customer alone walks all of the customer's rows; an order must come with it."""
    for step in query_plan(database, room, name):
        if not step.startswith(ENTERED):
            continue
        if "(customer=?)" in step:
            assert (room, name) in WHOLE_CUSTOMER, query_plan(database, room, name)


ENTERED = tuple(f"SEARCH {table} " for table in ("t", "a", "k", "c", "q", "o", "p", "targets", "attempts"))
"""The big tables, and those that an attempt is shown with."""
WHOLE_CUSTOMER = {
    ("lives", "live_channels"),
    ("lives", "settle_trunk_slots"),
    ("lives", "unresolved"),
    ("equipment", "trunks"),
    ("planning", "trunk_views"),
}
"""Those that are meant to see all live attempts, through the partial index, or all trunks, of which there are few."""


def test_every_statement_is_used() -> None:
    package = Path(str(files("outdialer.store.sqlite")))
    code = "".join(path.read_text() for path in package.glob("*.py"))
    unused = [f"{room}.{name}" for room, name in STATEMENTS if f'"{name}"' not in code]
    assert unused == []


class Asked(dict[str, Any]):
    """Remembers which parameters a statement asked for."""

    def __init__(self) -> None:
        super().__init__()
        self.names: list[str] = []

    def __missing__(self, key: str) -> None:
        self.names.append(key)


@pytest.mark.parametrize(("room", "name"), STATEMENTS)
def test_parameters_are_numbered_as_sqlite_finds_them(database: Any, room: str, name: str) -> None:
    statement, asked, taken = statements(room)[name], Asked(), Asked()
    database.execute(f"EXPLAIN {statement}", asked).fetchall()
    if not asked.names:
        return  # Without parameters nothing is run for each of many rows.
    numbered, values = by_number(statement)
    given = values(taken)
    assert taken.names == asked.names
    database.execute(f"EXPLAIN {numbered}", given).fetchall()


def test_a_statement_is_run_for_each_row_with_what_it_binds() -> None:
    connection = sqlite3.connect(":memory:")
    connection.execute("CREATE TABLE pairs (a, b, c)")
    insert = "-- Not :this one.\nINSERT INTO pairs (a, b, c) VALUES (:a, :b, :a || ':b')"
    assert execute_each(connection, insert, [{"a": 1, "b": 2, "unused": 3}, {"b": 5, "a": 4}]) == 2
    assert execute_each(connection, "DELETE FROM pairs WHERE a = :a", [{"a": 4}]) == 1
    assert connection.execute("SELECT a, b, c FROM pairs").fetchall() == [(1, 2, "1:b")]
    connection.close()
