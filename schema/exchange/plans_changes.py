"""What a simulation changes in its base plan, as it was asked for."""

from __future__ import annotations

from collections.abc import Mapping

import strawberry
from strawberry import ID

from marketplace.domain.ids import opaque_id
from marketplace.domain.registry.categories import CategoryKind
from schema.scalars import BigInt


@strawberry.type(description="An offer that nobody posted, as a simulation took it.")
class PlanOfferAdded:
    kind: CategoryKind = strawberry.field(description="What it gives.")
    category_id: ID = strawberry.field(description="Its category, or the purpose of its cash.")
    quantity: BigInt = strawberry.field(description="How much, in the offer's unit.")


@strawberry.type(description="An offer that a simulation took in another quantity.")
class PlanOfferQuantity:
    offer_id: ID = strawberry.field(description="The offer.")
    quantity: BigInt = strawberry.field(description="How much there would be of it in all.")


@strawberry.type(description="What a simulation changes; its policy is in `policy`.")
class PlanChanges:
    offers_added: list[PlanOfferAdded] = strawberry.field(description="Offers it adds.")
    offers_withdrawn: list[ID] = strawberry.field(description="Offers it does without.")
    quantities: list[PlanOfferQuantity] = strawberry.field(description="Offers of other size.")


def changes_of(stored: Mapping[str, object] | None) -> PlanChanges | None:
    """What was asked; None for a plan that is no simulation."""
    if stored is None:
        return None
    asked = stored.get("asked")
    return PlanChanges(
        offers_added=[_added(each) for each in _list(stored, "terms")],
        offers_withdrawn=[
            ID(opaque_id("Offer", int(str(key)))) for key in _list(stored, "withdrawn")
        ],
        quantities=[
            PlanOfferQuantity(
                offer_id=ID(opaque_id("Offer", int(key))), quantity=BigInt(int(str(quantity)))
            )
            for key, quantity in (asked.items() if isinstance(asked, Mapping) else ())
        ],
    )


def _added(terms: object) -> PlanOfferAdded:
    assert isinstance(terms, Mapping), "terms are kept as an object"
    return PlanOfferAdded(
        kind=CategoryKind(terms["kind"]),
        category_id=ID(opaque_id("Category", terms["category_id"])),
        quantity=BigInt(terms["quantity"]),
    )


def _list(stored: Mapping[str, object], name: str) -> list[object]:
    found = stored.get(name)
    return found if isinstance(found, list) else []
