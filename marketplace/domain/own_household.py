"""Nobody handles the case of the own household: how that is refused."""

from __future__ import annotations

from marketplace.domain.checks import fault
from marketplace.domain.errors import Fault

# Of one thing among many that a desk works through, which goes on with another person.
OWN_CASE = fault(
    "",
    "FOUR_EYES",
    "This is your own household's case; another person must handle it.",
    "这是您本人家庭的事项，须由他人办理。",
)


def ones_own(name: str) -> Fault:
    """The refusal of a household that was named, by the field that names it; empty: by an id."""
    return fault(
        name,
        "OWN_HOUSEHOLD",
        "Nobody handles the case of the own household. Ask a colleague.",
        "不得办理本人家庭的业务，请由其他工作人员办理。",
    )
