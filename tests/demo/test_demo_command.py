"""The README's first command, as a person runs it: from an empty folder to a served plan."""

from __future__ import annotations

import json
import os
import re
import socket
import stat
import subprocess
import sys
from dataclasses import fields
from pathlib import Path

import pytest

from marketplace.settings import Settings
from tests.demo.story_page import Lived
from tests.demo.story_told import assert_story

ROOT = Path(__file__).parent.parent.parent
KEY = re.compile(r"aidloop_[\w-]+")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def demo(folder: Path, *options: str, port: int | None = None) -> subprocess.CompletedProcess[str]:
    """`aidloop demo --once`: loads, plans, serves, prints real answers, and stops."""
    environ = {k: v for k, v in os.environ.items() if not k.startswith("AIDLOOP_")} | {
        "AIDLOOP_DATA_DIR": str(folder),
        "AIDLOOP_PORT": str(port or free_port()),
        "AIDLOOP_LANGUAGE": "en",
        "COLUMNS": "200",
    }
    return subprocess.run(
        [sys.executable, "-m", "marketplace.cli", "demo", "--once", *options],
        env=environ,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def answers(printed: str) -> list[dict[str, object]]:
    return [
        json.loads(line.split("→", 1)[1])["data"]
        for line in printed.splitlines()
        if line.lstrip().startswith("→")
    ]


async def test_from_an_empty_folder_to_a_served_plan_and_again(tmp_path: Path) -> None:
    first = demo(tmp_path)

    assert first.returncode == 0, first.stderr
    market, story, plan, viewer = answers(first.stdout)
    assert market["publishedNeeds"]["totalCount"] > 1000  # type: ignore[index]
    assert story["loopStatistics"]["personTimesHelpedByCharity"] == 23  # type: ignore[index]
    (proposed,) = plan["plans"]["nodes"]  # type: ignore[index]
    assert proposed["status"] == "PROPOSED"
    assert proposed["proof"]["optimal"] is True
    assert viewer["viewer"]["role"] == "PROVIDER"  # type: ignore[index]
    assert first.stdout.count("curl -s http://127.0.0.1:") == 4
    assert_keys_are_kept_for_the_user_alone(tmp_path / "keys.json", first.stdout)
    url = f"sqlite+aiosqlite:///{tmp_path / 'aidloop.db'}"
    await assert_story(Lived(url, tmp_path, json.loads((tmp_path / "keys.json").read_text())))

    again = demo(tmp_path)

    assert again.returncode == 0, again.stderr
    assert answers(again.stdout) == answers(first.stdout)
    assert KEY.findall(again.stdout) == KEY.findall(first.stdout)


@pytest.mark.slow
def test_reset_makes_data_and_keys_anew(tmp_path: Path) -> None:
    first = demo(tmp_path, "--no-story")
    shown = [name for answer in answers(first.stdout) for name in answer]
    assert shown == ["publishedNeeds", "plans", "viewer"]

    afresh = demo(tmp_path, "--reset", "--no-story")

    assert afresh.returncode == 0, afresh.stderr
    assert not set(KEY.findall(afresh.stdout)) & set(KEY.findall(first.stdout))


def assert_keys_are_kept_for_the_user_alone(path: Path, printed: str) -> None:
    keys = json.loads(path.read_text())
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert {"CHARITY_OFFICER", "ASSISTANCE_OFFICER", "PROVIDER", "AUDITOR"} <= keys.keys()
    assert all(key in printed for key in keys.values())


def test_a_port_that_is_taken_is_said_with_what_to_do(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        refused = demo(tmp_path, port=taken.getsockname()[1])

    assert refused.returncode == 1
    assert "make demo PORT=" in refused.stderr
    assert "Traceback" not in refused.stderr


def test_every_setting_is_in_the_readme() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")

    missing = [
        name
        for name in (f"AIDLOOP_{item.name.upper()}" for item in fields(Settings))
        if f"`{name}`" not in readme
    ]

    assert missing == []
