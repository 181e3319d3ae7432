"""Running a market for real, from an empty database to keys that work, on both databases."""

from __future__ import annotations

import os
import re
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
import sqlalchemy as sa

from marketplace.persistence.database import Database
from marketplace.persistence.tables import api_keys, events, organizations, regions
from tests.fixtures.served import served, settings_for

KEY = re.compile(r"^aidloop_\S+$", re.MULTILINE)
WHO = "{ viewer { role accountName } }"


def environ_of(url: str, folder: Path) -> dict[str, str]:
    return {k: v for k, v in os.environ.items() if not k.startswith("AIDLOOP_")} | {
        "AIDLOOP_DATA_DIR": str(folder),
        "AIDLOOP_DATABASE_URL": url,
        "AIDLOOP_LANGUAGE": "en",
        "COLUMNS": "160",
    }


@pytest.fixture
def environ(database_url: str, tmp_path: Path) -> dict[str, str]:
    return environ_of(database_url, tmp_path)


def run(environ: dict[str, str], *words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "marketplace.cli", *words]
    return subprocess.run(
        command, env=environ, capture_output=True, text=True, timeout=120, check=False
    )


@pytest.mark.one_database
async def test_an_operator_sets_up_makes_an_account_rotates_its_key_and_ends_it(
    environ: dict[str, str], database: Database, database_url: str, tmp_path: Path
) -> None:
    assert run(environ, "setup").returncode == 0
    assert run(environ, "setup").returncode == 0
    role = ("--role", "CHARITY_OFFICER", "--name", "张三", "--region", "361027")
    made = run(environ, "account", "create", *role)
    (first,) = KEY.findall(made.stdout)
    (second,) = KEY.findall(run(environ, "account", "rotate-key", "1").stdout)

    with served(settings_for(database_url, tmp_path)) as server:
        old = server.ask(WHO, key=first).json()
        new = server.ask(WHO, key=second).json()
        assert run(environ, "account", "disable", "1").returncode == 0
        ended = server.ask(WHO, key=second).json()

    assert old["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"
    assert new["data"]["viewer"] == {"role": "CHARITY_OFFICER", "accountName": "张三"}
    assert ended["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"
    async with database.read() as db:
        digests = [row["digest"] for row in await db.rows(sa.select(api_keys.c.digest))]
        kinds = [row["kind"] for row in await db.rows(sa.select(events.c.kind))]
    assert first not in digests
    assert second not in digests
    assert kinds.count("key.issued") == 2
    assert "account.disabled" in kinds


@pytest.mark.one_database
async def test_an_organization_is_verified_by_its_reference(
    environ: dict[str, str], database: Database
) -> None:
    assert run(environ, "setup").returncode == 0
    async with database.write() as db:
        region = await db.scalar(sa.select(regions.c.id).where(regions.c.code == "361027"))
        row = {"kind": "CHARITY", "name": "试用慈善会", "region_id": region}
        row |= {"external_reference": "ORG-1", "created_at": database.now()}
        await db.insert(organizations, row)

    verified = run(environ, "verify", "ORG-1")
    unknown = run(environ, "verify", "ORG-2")

    assert verified.returncode == 0, verified.stderr
    assert unknown.returncode == 1
    assert "ORG-2" in unknown.stderr
    async with database.read() as db:
        assert await db.scalar(sa.select(organizations.c.status)) == "VERIFIED"


REFUSALS = (
    (("account", "create", "--role", "PROVIDER", "--name", "x"), "needs an organization"),
    (("account", "create", "--role", "ADMIN", "--name", "x", "--region", "1"), "code 1"),
    (("account", "disable", "7"), "no such entry"),
    (("serve", "--host", "0.0.0.0"), "AIDLOOP_PROFILE=production"),
)


def test_refusals_say_what_to_do_and_leave_nothing(sqlite_copy_of: Path, tmp_path: Path) -> None:
    shutil.copy(sqlite_copy_of, tmp_path / "aidloop.db")
    environ = environ_of(f"sqlite:///{tmp_path / 'aidloop.db'}", tmp_path)

    for words, said in REFUSALS:
        refused = run(environ, *words)
        assert refused.returncode == 1, words
        assert said in refused.stderr
        assert "Traceback" not in refused.stderr
    misspelt = run(environ | {"AIDLOOP_PROT": "8000"}, "doctor")

    assert misspelt.returncode == 1
    assert "AIDLOOP_PROT" in misspelt.stderr
    with sqlite3.connect(tmp_path / "aidloop.db") as db:
        assert db.execute("SELECT count(*) FROM accounts").fetchone() == (0,)
    db.close()
