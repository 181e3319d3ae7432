"""Starts a server of its own and runs the audit against it: `python -m tests.audit`."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import tempfile
from pathlib import Path

import sqlalchemy as sa

from marketplace.domain.permissions import Role
from marketplace.persistence.database import Database
from marketplace.persistence.migrations import migrate
from marketplace.persistence.tables import regions
from tests.audit.plans import draw
from tests.fixtures.served import add_account, served, settings_for

RUN = Path(__file__).parent / "run.sh"


async def _officer(url: str) -> str:
    """The key of a charity officer of one county."""
    database = Database(url)
    county = {
        "level": "COUNTY",
        "scheme": "GB/T 2260",
        "code": "361027",
        "name_zh": "金溪县",
        "tree_low": 1,
        "tree_high": 2,
    }
    async with database.write() as db:
        region_id = await db.insert(regions, county)
    key = await add_account(database, Role.CHARITY_OFFICER, region_id=region_id)
    await database.close()
    return key


def main() -> int:
    """The exit code of the audit."""
    with tempfile.TemporaryDirectory(prefix="aidloop-audit-") as name:
        folder = Path(name)
        url = f"sqlite+aiosqlite:///{folder / 'aidloop.db'}"
        migrate(sa.make_url(url).set(drivername="sqlite"))
        keys = folder / "keys.json"
        keys.write_text(json.dumps({"CHARITY_OFFICER": asyncio.run(_officer(url))}))
        draw(folder)
        with served(settings_for(url, folder, worker_in_server=True)) as server:
            return subprocess.run(
                [RUN, f"{server.url}/graphql", keys, folder, *sys.argv[1:]], check=False
            ).returncode


if __name__ == "__main__":
    sys.exit(main())
