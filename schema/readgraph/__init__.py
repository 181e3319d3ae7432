"""The read graph: declarations of types, and one SQL statement for each root field."""

from schema.readgraph import types

__all__ = ["types"]  # imported so that declarations find their types
