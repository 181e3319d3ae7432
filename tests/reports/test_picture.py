"""What the picture of a plan says of what is short, from columns and without drawing."""

from __future__ import annotations

import numpy as np
import pytest

import matching
from marketplace.domain.errors import Text
from marketplace.services.exchange.plan_figures import Served
from marketplace.services.exchange.plan_picture import Heading, Kind, Material, picture


def next_unit(severities: list[int]) -> str:
    """Of one kind in one place, of which each household lacks all."""
    count, none = len(severities), np.zeros(0, np.int64)
    material = Material(
        needs=Served(
            household=np.arange(count),
            severity=np.array(severities),
            asked=np.full(count, 10),
            served=np.zeros(count, np.int64),
        ),
        place=np.ones(count, np.int64),
        category=np.ones(count, np.int64),
        groups=np.zeros(count, np.int64),
        line_household=none,
        line_source=none,
        line_place=none,
        places={1: Text("xiugu", "秀谷")},
        kinds={1: Kind(name=Text("rice", "大米"), unit="kg", unit_fen=600)},
        group_names=(),
        sources={},
        policy=matching.Policy(),
    )
    heading = Heading(title=Text("t", "t"), made=Text("m", "m"), proof="", proven=True)
    (short,) = picture(heading, material).short
    return short.next_unit.en


@pytest.mark.parametrize(
    ("severities", "band"),
    [
        ([95, 20, 20, 20, 20, 20], "low (1–34)"),
        ([95, 95, 70, 70, 70, 20], "high (60–79)"),
        ([95, 95, 95, 95, 95, 20], "critical (80–100)"),
    ],
)
def test_the_next_unit_names_the_gravest_band_that_five_households_share(
    severities: list[int], band: str
) -> None:
    assert next_unit(severities) == f"{band}: nothing yet"
