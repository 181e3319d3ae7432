"""A policy: in which order the units of all needs take precedence."""

from dataclasses import asdict, dataclass
from fractions import Fraction
from typing import Literal, cast, get_args

Order = Literal["floor", "leximin", "severity", "weighted"]
ORDERS: tuple[Order, ...] = get_args(Order)


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """An order, and the numbers that shape it. Smaller keys come first, none is a float.

        floor     (0, -severity) for the first ceil(floor_share x d) units of a need of d units,
                  then (1, -severity x diminishing)
        leximin   ((u-1)/d, -u/d, -severity) for unit u: worst-off first by share served
        severity  (-severity, (u-1)/d, -u/d)
        weighted  (-severity x diminishing)

    `tranches` end at these percentages of d, rounded up; `diminishing` is per mille, one for each.
    Above `share_steps` units a need is served in that many steps. Raises ValueError.
    """

    order: Order = "floor"
    floor_share: Fraction = Fraction(1, 4)
    tranches: tuple[int, ...] = (25, 50, 75, 100)
    diminishing: tuple[int, ...] = (1000, 600, 350, 150)
    share_steps: int = 100
    change_penalty: int = 0
    change_budget: int | None = None

    def __post_init__(self) -> None:
        if self.order not in ORDERS:
            raise ValueError(f"order is {self.order!r}; one of {', '.join(ORDERS)} is wanted.")
        if not isinstance(self.floor_share, Fraction | int) or isinstance(self.floor_share, bool):
            raise ValueError(f"floor_share is {self.floor_share!r}; a Fraction is wanted.")
        object.__setattr__(self, "floor_share", Fraction(self.floor_share))
        if not 0 <= self.floor_share <= 1 or self.floor_share.denominator > 10**6:
            raise ValueError(f"floor_share is {self.floor_share}; 0 to 1 in millionths is allowed.")
        object.__setattr__(self, "tranches", _whole("tranches", self.tranches, 1, 100))
        object.__setattr__(self, "diminishing", _whole("diminishing", self.diminishing, 1, 10**6))
        if self.tranches[-1:] != (100,) or list(self.tranches) != sorted(set(self.tranches)):
            raise ValueError(f"tranches is {self.tranches}; they must rise and end at 100.")
        if len(self.diminishing) != len(self.tranches):
            raise ValueError(f"diminishing has {len(self.diminishing)} entries, tranches others.")
        if list(self.diminishing) != sorted(self.diminishing, reverse=True):
            raise ValueError(f"diminishing is {self.diminishing}; it must not rise.")
        _whole("share_steps", (self.share_steps,), 1, 1000)
        _whole("change_penalty", (self.change_penalty,), 0, 10**12)
        if self.change_budget is not None:
            _whole("change_budget", (self.change_budget,), 0, 10**18)

    def to_json(self) -> dict[str, object]:
        """Plain values.

        >>> Policy.from_json(Policy(order="leximin").to_json()) == Policy(order="leximin")
        True
        """
        plain = asdict(self)
        return plain | {
            "floor_share": str(self.floor_share),
            "tranches": list(self.tranches),
            "diminishing": list(self.diminishing),
        }

    @classmethod
    def from_json(cls, plain: dict[str, object]) -> "Policy":
        """The policy behind plain values; unknown names are refused."""
        unknown = set(plain) - set(cls.__slots__)
        if unknown:
            raise ValueError(f"A policy has no {', '.join(sorted(unknown))}.")
        values = dict(plain)
        if "floor_share" in values:
            share = values["floor_share"]
            if not isinstance(share, str | int) or isinstance(share, bool):
                raise ValueError(f"floor_share is {share!r}; text such as 1/4 is wanted.")
            values["floor_share"] = Fraction(share)
        for name in ("tranches", "diminishing"):
            if isinstance(values.get(name), list):
                values[name] = tuple(cast("list[int]", values[name]))
        return cls(**values)  # type: ignore[arg-type]  # __post_init__ checks every value


def _whole(name: str, values: tuple[int, ...], low: int, high: int) -> tuple[int, ...]:
    if not isinstance(values, tuple | list) or not values:
        raise ValueError(f"{name} is {values!r}; a tuple of whole numbers is wanted.")
    for value in values:
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            raise ValueError(f"{name} is {value!r}; a whole number {low} to {high} is wanted.")
    return tuple(values)
