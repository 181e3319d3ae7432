"""The page of the story: its questions with their answers, to be compared or written anew.

`python -m tests.demo.story_page` lives through the story and writes the answers into the page.
"""

from __future__ import annotations

import asyncio
import json
import re
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa

from marketplace.persistence.database import Database
from marketplace.persistence.migrations import migrate
from marketplace.services import demo
from marketplace.services.demo import DemoSize
from marketplace.services.registry.sealing import sealer_of
from tests.fixtures.served import Served, served, settings_for

PAGE = Path(__file__).parent.parent.parent / "docs" / "story.md"
SMALL = DemoSize(households=120, needs=150, offers=90)
ASKED = re.compile(
    r"```graphql (?P<who>\w+)\n(?P<query>.*?)```\n\n```json\n(?P<answer>.*?)```", re.S
)


@dataclass(frozen=True)
class Question:
    who: str
    query: str
    answer: str


@dataclass(frozen=True)
class Lived:
    """A county in which the story was lived through, and its keys by role."""

    url: str
    folder: Path
    keys: dict[str, str]


async def live(folder: Path) -> Lived:
    """The story, and a small market of today after it, on SQLite."""
    path = folder / "aidloop.db"
    migrate(sa.make_url(f"sqlite:///{path}"))
    url = f"sqlite+aiosqlite:///{path}"
    settings = settings_for(url, folder)
    database = Database(url)
    try:
        loaded = await demo.load(database, sealer_of(settings), size=SMALL, story=settings)
    finally:
        await database.close()
    return Lived(url, folder, dict(loaded.keys))


def questions() -> Iterator[Question]:
    for found in ASKED.finditer(PAGE.read_text(encoding="utf-8")):
        yield Question(**found.groupdict())


def answer_of(server: Served, lived: Lived, question: Question) -> str:
    key = None if question.who == "PUBLIC" else lived.keys[question.who]
    answer = server.ask(question.query, key=key).json()
    return json.dumps(answer.get("data") or answer, ensure_ascii=False, indent=2)


def _write(answered: Callable[[Question], str]) -> None:
    text = ASKED.sub(
        lambda found: found[0].replace(
            f"```json\n{found['answer']}```",
            f"```json\n{answered(Question(**found.groupdict()))}\n```",
        ),
        PAGE.read_text(encoding="utf-8"),
    )
    PAGE.write_text(text, encoding="utf-8")


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        lived = asyncio.run(live(Path(folder)))
        with served(settings_for(lived.url, lived.folder)) as server:
            _write(lambda question: answer_of(server, lived, question))


if __name__ == "__main__":
    main()
