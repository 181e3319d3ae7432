"""Asking a GraphQL server from the command line, with the standard library alone."""

from __future__ import annotations

import asyncio
import json
import urllib.error
import urllib.request
from dataclasses import dataclass
from http.client import HTTPException

from marketplace.domain.errors import Language

TIMEOUT_S = 60


class NoAnswer(Exception):
    """The server's answer was an error, or not an answer at all."""


TROUBLE = (NoAnswer, OSError, HTTPException, TimeoutError)


@dataclass(frozen=True, slots=True)
class Answer:
    text: str

    def at(self, *path: str) -> object:
        """What stands at a path of the data. Raises NoAnswer with the server's own words."""
        body = json.loads(self.text)
        if body.get("errors"):
            raise NoAnswer(str(body["errors"][0].get("message", "error")))
        found = body.get("data")
        for step in path:
            if not isinstance(found, dict) or step not in found:
                raise NoAnswer(f"The answer has no {'.'.join(path)}: {self.text[:300]}")
            found = found[step]
        return found

    def row(self, *path: str) -> dict[str, object]:
        """The object at a path."""
        found = self.at(*path)
        if not isinstance(found, dict):
            raise NoAnswer(f"The answer has nothing at {'.'.join(path)}: {self.text[:300]}")
        return found

    def rows(self, *path: str) -> list[dict[str, object]]:
        """The list of objects at a path."""
        found = self.at(*path)
        return [row for row in found if isinstance(row, dict)] if isinstance(found, list) else []


@dataclass(frozen=True, slots=True)
class Asking:
    """One GraphQL address to ask, and the language to be answered in."""

    address: str
    language: Language

    async def ask(
        self, query: str, *, key: str | None = None, variables: dict[str, object] | None = None
    ) -> Answer:
        """The answer to one operation. Raises NoAnswer, or OSError where nobody listens."""
        return await asyncio.to_thread(self._ask, query, key, variables)

    def _ask(self, query: str, key: str | None, variables: dict[str, object] | None) -> Answer:
        body = json.dumps({"query": query, "variables": variables or {}}).encode()
        headers = {
            "Content-Type": "application/json",
            "Accept": "application/json",
            "Accept-Language": self.language,
        }
        if key is not None:
            headers["Authorization"] = f"Bearer {key}"
        asked = urllib.request.Request(self.address, body, headers)  # noqa: S310  # our own http://
        # An answer from this machine must not go through a proxy that the environment names.
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with opener.open(asked, timeout=TIMEOUT_S) as answer:
                return Answer(answer.read().decode())
        except urllib.error.HTTPError as refused:
            return Answer(refused.read().decode() or '{"errors": [{"message": "no answer"}]}')
