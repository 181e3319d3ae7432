"""Categories in the graph: what can be needed and offered, open to everyone."""

from __future__ import annotations

import strawberry

from marketplace.domain.registry.categories import CategoryKind
from marketplace.persistence.tables.registry import categories
from schema.enums import described
from schema.readgraph.declare import (
    Ascending,
    Edge,
    Entity,
    column,
    computed,
    many,
    node,
    one,
    root,
)
from schema.registry.trees import everyone, labelled
from schema.scalars import BigInt, Money

# Whoever uses the enum takes it from here, so that it is described before it is used.
__all__ = ["Category", "CategoryKind", "CategoryQuery", "money"]

described(
    CategoryKind,
    "What is given.",
    {
        CategoryKind.GOODS: "物资, things, counted in the category's unit.",
        CategoryKind.CASH: "资金, money, counted in fen.",
        CategoryKind.SERVICE: "服务, time or visits of people.",
    },
)


def money(fen: int | None) -> Money | None:
    """An amount of fen as the graph says it."""
    return None if fen is None else Money(amount=BigInt(fen))


@node(
    table=categories,
    visible=everyone,
    order=(Ascending("treePosition"),),
    description="What can be needed and offered, in which unit and at which reference price.",
)
class Category(Entity):
    code: str = column("code", "The stable code.", filter=True, order=True)
    kind: CategoryKind = column("kind", "What is given.", filter=CategoryKind, order=True)
    unit: str | None = column(
        "unit", "The base unit; null above the categories that things are matched in.", filter=True
    )
    reference_price: Money | None = computed(
        ("reference_price_fen",), money, "What one unit is reckoned at."
    )
    label: str = labelled("label_zh", "label_en", "The name in a language.")
    tree_position: int = column(
        "tree_low", "The place in the tree read from top to bottom; changes as the tree grows.",
        order=True,
    )  # fmt: skip
    parent: Edge = one("Category", "parent_id", "The category above it.", filter=True)
    children: Edge = many("Category", "parent_id", "The categories right below it.")
    published_needs: Edge = many("PublishedNeed", "category_id", "Open needs of just this.")
    needs: Edge = many("Need", "category_id", "Needs of just this.")
    offers: Edge = many("Offer", "category_id", "Offers of just this.")


@strawberry.type
class CategoryQuery:
    categories: Edge = root("Category", "Categories; by default in the order of the tree.")
