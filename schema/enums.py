"""Enums of the domain, told to the graph with a description for every value."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import TypeVar, cast

import strawberry
from strawberry.types.enum import StrawberryEnumDefinition

from marketplace.domain.states import WORDS

E = TypeVar("E", bound=Enum)


def described(enum: type[E], description: str, values: Mapping[E, str]) -> type[E]:
    """The same enum, known to the graph under its own name.

    values    one description for every member; raises ValueError where one lacks. Those of a
              state begin with its Chinese word, which the domain's table has.
    """
    lacking = [member.name for member in enum if not values.get(member)]
    if lacking:
        raise ValueError(f"{enum.__name__} needs a description for {', '.join(lacking)}.")
    words = WORDS.get(enum.__name__, {})
    strawberry.enum(enum, description=description)
    definition = cast(StrawberryEnumDefinition, enum.__strawberry_definition__)  # type: ignore[attr-defined]
    for value, member in zip(definition.values, enum, strict=True):
        word = words.get(member.name)
        value.description = f"{word}, {values[member]}" if word else values[member]
    return enum
