"""Every mutation writes an event: from its name in the services, its code leads to the log.

Read from the source, since no test can think of an input for every mutation that is still to come.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from marketplace.domain.permissions import MUTATIONS

SERVICES = Path(__file__).parent.parent / "marketplace" / "services"
# Where events are written, and what begins an act: its transaction, or what lets the viewer pass.
LOGS = {"marketplace.services.acting.record", "marketplace.persistence.events.append"}
LOGS |= {"marketplace.persistence.events.append_many"}
BEGINS = {"marketplace.services.acting.once", "marketplace.domain.permissions.require"}
# They move nothing: a code that is issued and tries that are counted are a record of their own.
QUIET = ("CodeRequest", "Status")


@dataclass
class Function:
    """What a function calls, by full name as far as imports tell, and the words it holds."""

    calls: set[str] = field(default_factory=set)
    words: set[str] = field(default_factory=set)


def functions_of(sources: Mapping[str, str]) -> dict[str, Function]:
    """Full name -> function, of modules given by name."""
    found: dict[str, Function] = {}
    for module, source in sources.items():
        tree = ast.parse(source)
        known = dict(_imported(tree))
        own = {
            each.name: f"{module}.{each.name}"
            for each in tree.body
            if isinstance(each, ast.AsyncFunctionDef | ast.FunctionDef)
        }
        constants = {
            target.id: {n.value for n in ast.walk(each) if _is_word(n)}  # type: ignore[attr-defined]
            for each in tree.body
            if isinstance(each, ast.Assign)
            for target in each.targets
            if isinstance(target, ast.Name)
        }
        for each in tree.body:
            if isinstance(each, ast.AsyncFunctionDef | ast.FunctionDef):
                found[own[each.name]] = _read(each, known | own, constants)
    return found


def silent(functions: Mapping[str, Function], mutations: set[str]) -> set[str]:
    """Mutations of whose functions none that opens an act leads to the log."""
    return {
        mutation
        for mutation in mutations
        if not any(
            reached & LOGS and reached & BEGINS
            for name, function in functions.items()
            if mutation in function.words
            for reached in [_reached(name, functions)]
        )
    }


def _imported(tree: ast.Module) -> Iterator[tuple[str, str]]:
    for each in ast.walk(tree):
        if isinstance(each, ast.ImportFrom) and each.module:
            for alias in each.names:
                yield alias.asname or alias.name, f"{each.module}.{alias.name}"


def _read(
    function: ast.AST, known: Mapping[str, str], constants: Mapping[str, set[str]]
) -> Function:
    read = Function()
    for each in ast.walk(function):
        if _is_word(each):
            read.words.add(each.value)  # type: ignore[attr-defined]
        elif isinstance(each, ast.Name):
            # Also what is only handed on, such as a function among arguments.
            read.calls.add(known.get(each.id, each.id))
            read.words |= constants.get(each.id, set())
        elif isinstance(each, ast.Attribute) and isinstance(each.value, ast.Name):
            read.calls.add(f"{known.get(each.value.id, each.value.id)}.{each.attr}")
    return read


def _is_word(node: ast.AST) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, str)


def _reached(start: str, functions: Mapping[str, Function]) -> set[str]:
    seen: set[str] = set()
    waiting = [start]
    while waiting:
        name = waiting.pop()
        if name not in seen:
            seen.add(name)
            waiting += functions[name].calls if name in functions else ()
    return seen


def _sources() -> dict[str, str]:
    return {
        ".".join(("marketplace", "services", *path.relative_to(SERVICES).with_suffix("").parts)): (
            path.read_text(encoding="utf-8")
        )
        for path in SERVICES.rglob("*.py")
    }


def test_every_mutation_leads_to_the_log() -> None:
    moves = {name for name in MUTATIONS if not name.endswith(QUIET)}

    assert silent(functions_of(_sources()), moves) == set()


def test_a_mutation_that_forgets_its_event_is_found() -> None:
    source = """
from marketplace.services.acting import once, record
from marketplace.persistence import events

async def told(database, act):
    async with once(database, act, "offerTold") as turn:
        await _record(turn)

async def _record(turn):
    await record(turn)

async def forgotten(database, act):
    async with once(database, act, "offerForgotten") as turn:
        pass

async def loose(database):
    "offerLoose"
    await events.append(database)
"""
    functions = functions_of({"marketplace.services.example": source})

    found = silent(functions, {"offerTold", "offerForgotten", "offerLoose", "offerNowhere"})

    assert found == {"offerForgotten", "offerLoose", "offerNowhere"}
