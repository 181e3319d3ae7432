"""Who may see what, for those who tell of events: the read graph's rules, once all are declared."""

from __future__ import annotations

from schema import root  # noqa: F401  # with it every node is there
from schema.readgraph.sight import seen

__all__ = ["seen"]
