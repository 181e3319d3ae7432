"""The root fields that read anything by its id."""

from __future__ import annotations

import strawberry

from schema.readgraph.declare import Edge, root_node, root_nodes


@strawberry.type
class NodeQuery:
    node: Edge = root_node("The thing behind an id; null where there is none that you may see.")
    nodes: Edge = root_nodes(
        "The things behind ids, in their order; null for what you may not see."
    )
