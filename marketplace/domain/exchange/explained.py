"""What a plan says of itself line by line and need by need: the codes that explanations come in."""

from __future__ import annotations

from enum import StrEnum

MARK = "explained-1"  # the form in which explanations are kept; another mark is read as none


class ShortfallKind(StrEnum):
    """Why a need is short in a plan."""

    COMPLETE = "COMPLETE"
    NOTHING_ELIGIBLE = "NOTHING_ELIGIBLE"  # no offer may meet it; ShortfallLacking says why
    RULE = "RULE"  # an offer has something for it, but a rule stands in the way
    OUTRANKED = "OUTRANKED"  # what reaches it is held by needs that come before it
    CAPACITY = "CAPACITY"  # what reaches it is used up, by nothing that comes before it
    LEFT_ASIDE = "LEFT_ASIDE"  # it, or every offer for it, took no part in the plan
    UNDECIDED = "UNDECIDED"  # the plan was not solved to the end


class ShortfallLacking(StrEnum):
    """What a need lacks that no offer may meet; the first of these that holds."""

    NO_OFFER = "NO_OFFER"
    NO_PRICE = "NO_PRICE"  # only cash is there for it, and cash buys at a reference price
    NOT_IN_REGION = "NOT_IN_REGION"
    TOO_FAR = "TOO_FAR"
    OTHER_GROUPS = "OTHER_GROUPS"
    DECLINED = "DECLINED"


class ShortfallRule(StrEnum):
    """Which rule stands in the way."""

    HOUSEHOLD_MAX = "HOUSEHOLD_MAX"
    DELIVERIES_MAX = "DELIVERIES_MAX"
    DELIVERY_MIN = "DELIVERY_MIN"
    QUANTITY_MIN = "QUANTITY_MIN"
    VISIT_DAYS = "VISIT_DAYS"
    OFFERS_MAX = "OFFERS_MAX"


class PlanLineCode(StrEnum):
    """Why a need is served by this offer and no other."""

    ONLY = "ONLY"
    NEAREST = "NEAREST"
    NEARER_USED = "NEARER_USED"  # by this need itself
    NEARER_OUTRANKS = "NEARER_OUTRANKS"  # all that is nearer serves units that come before these
    NEARER_TAKEN = "NEARER_TAKEN"  # by others, so that all go the least way together
    NEARER_RULED = "NEARER_RULED"  # a nearer one has something left, but not for this need


KINDS = tuple(ShortfallKind)
LACKS = tuple(ShortfallLacking)
HINDRANCES = tuple(ShortfallRule)
LINE_CODES = tuple(PlanLineCode)
