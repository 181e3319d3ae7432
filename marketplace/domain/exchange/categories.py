"""What the rules of needs and offers ask of a category."""

from __future__ import annotations

from dataclasses import dataclass

from marketplace.domain.registry.categories import CategoryKind


@dataclass(frozen=True, slots=True, kw_only=True)
class CategoryFacts:
    """A category as needs and offers see it.

    unit                   None: too wide to be needed, or offered but as the purpose of cash
    reference_price_fen    of one unit; None: no one price fits
    tree_low..tree_high    the interval of its subtree (nested sets, inclusive)
    """

    kind: CategoryKind
    unit: str | None
    reference_price_fen: int | None
    tree_low: int = 0
    tree_high: int = 0

    def value_fen(self, quantity: int) -> int | None:
        """What a quantity is worth by the reference price; cash is worth itself.

        >>> CategoryFacts(kind=CategoryKind.GOODS, unit="kg", reference_price_fen=600).value_fen(5)
        3000
        """
        if self.kind is CategoryKind.CASH:
            return quantity
        return None if self.reference_price_fen is None else quantity * self.reference_price_fen
