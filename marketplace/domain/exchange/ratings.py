"""互为评定: of each result the office rates the provider, and the provider the office."""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum

from marketplace.domain.checks import fault, text, within
from marketplace.domain.errors import Conflict, Fault, InvalidInput
from marketplace.domain.permissions import MUTATIONS, PROVIDERS, Role

SCORE_MIN = 1
SCORE_MAX = 5
COMMENT_LENGTH_MAX = 300


class RatingSide(StrEnum):
    """Who rates: of one result each side once, and for good."""

    OFFICE = "OFFICE"
    PROVIDER = "PROVIDER"


def side_of(role: Role) -> RatingSide | None:
    """The side that a role rates for; None: it rates nothing."""
    if role not in MUTATIONS["resultRate"]:
        return None
    return RatingSide.PROVIDER if role in PROVIDERS else RatingSide.OFFICE


def check_rating(score: int, comment: str | None, *, names_somebody: bool) -> None:
    """Raise InvalidInput with everything that no rating can say.

    names_somebody    whether the comment holds a name of the household, or a number of a person
    """
    faults = [*within("score", score, SCORE_MIN, SCORE_MAX), *_comment(comment, names_somebody)]
    if faults:
        raise InvalidInput(*faults)


def already_rated() -> Conflict:
    return Conflict.of(
        "result_id",
        "Your side has rated this result; a rating is never changed.",
        "贵方已对该结果作出评定，评定不得修改。",
        code="ALREADY_RATED",
    )


def _comment(comment: str | None, names_somebody: bool) -> Iterator[Fault]:
    if comment is None:
        return
    yield from text("comment", comment, 1, COMMENT_LENGTH_MAX)
    if names_somebody:
        yield fault(
            "comment",
            "PERSONAL_DATA",
            "Both sides read the comment: leave names and numbers of the household out of it.",
            "评语双方可见，请勿填写受助家庭成员的姓名或号码。",
        )
