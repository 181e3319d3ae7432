"""Moves of what has a lifecycle but no mutation yet."""

from __future__ import annotations

from schema.context import Context


def no_moves(_context: Context, _status: str) -> list[str]:
    """None: its lifecycle is moved by the system or by hand until its mutations are there."""
    return []
