"""Fixtures that every test may ask for; `database` runs a test once on each database.

Marked `one_database`, a test runs on SQLite alone, unless `--db` names another: for what does not
depend on the database. With `--hypothesis-profile thorough` ten times as many problems are drawn.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from hypothesis import settings

from marketplace.persistence.database import Database
from marketplace.persistence.migrations import migrate
from tests.fixtures.databases import postgres_database, postgres_server, postgres_template

settings.register_profile("thorough", max_examples=10 * settings.default.max_examples)

MEMORY = Path("/dev/shm")  # the system's folder in memory, where Linux has one
ROOM_MIN = 4 * 1024**3  # bytes; a whole run needs a quarter of that


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--db",
        choices=["sqlite", "postgresql", "both", "each"],
        default="both",
        help="which databases the tests run on; each: also those for which one is enough",
    )

    parser.addoption("--slow", action="store_true", help="also the slow tests: `make test-all`")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what other tests try in a quicker way, unless all is asked for."""
    if not config.getoption("--slow"):
        left_out = [item for item in items if item.get_closest_marker("slow") is not None]
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if item.get_closest_marker("slow") is None]


def pytest_configure(config: pytest.Config) -> None:
    _keep_files_in_memory()
    config.addinivalue_line("markers", "one_database: one database is enough for this test")
    config.addinivalue_line("markers", "slow: run by `make test-all` alone")
    config.addinivalue_line("markers", "both_databases: not for this one of such a file")


def _keep_files_in_memory() -> None:
    """Temporary files go to memory where there is room, unless TMPDIR says where.

    A third of a run was waiting for the disk to keep, on every commit, what is thrown away.
    """
    if "TMPDIR" in os.environ or not os.access(MEMORY, os.W_OK):
        return
    if shutil.disk_usage(MEMORY).free >= ROOM_MIN:
        os.environ["TMPDIR"] = str(MEMORY)
        tempfile.tempdir = None  # asked again at its next use


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "dialect" in metafunc.fixturenames:
        chosen = [metafunc.config.getoption("--db")]
        if chosen == ["both"]:
            marked = metafunc.definition.get_closest_marker
            alone = marked("one_database") is not None and marked("both_databases") is None
            chosen = ["sqlite"] if alone else ["sqlite", "postgresql"]
        if chosen == ["each"]:
            chosen = ["sqlite", "postgresql"]
        metafunc.parametrize("dialect", chosen, indirect=True)


@pytest.fixture
def dialect(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="session")
def postgres() -> Iterator[sa.URL]:
    with postgres_server() as url:
        yield url


@pytest.fixture(scope="session")
def postgres_copy_of(postgres: sa.URL) -> Iterator[str]:
    with postgres_template(postgres) as name:
        yield name


@pytest.fixture(scope="session")
def sqlite_copy_of(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("template") / "aidloop.db"
    migrate(sa.make_url(f"sqlite:///{path}"))
    return path


@pytest.fixture
def database_url(dialect: str, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A fresh, migrated database of this test's own, as a URL."""
    if dialect == "sqlite":
        path = tmp_path / "aidloop.db"
        shutil.copy(request.getfixturevalue("sqlite_copy_of"), path)
        yield f"sqlite+aiosqlite:///{path}"
        return
    server = request.getfixturevalue("postgres")
    with postgres_database(server, request.getfixturevalue("postgres_copy_of")) as url:
        yield url


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    database = Database(database_url)
    yield database
    await database.close()
