"""Recognition: until when a class counts, when it is due again, and what it was based on."""

from __future__ import annotations

from calendar import monthrange
from datetime import datetime

from marketplace.domain.registry.assessments import (
    FORMULA_VERSION,
    Circumstances,
    EligibilityClass,
    Lines,
)
from marketplace.domain.registry.households import groups_of


def runs_out_at(eligibility: EligibilityClass, since: datetime, lines: Lines) -> datetime | None:
    """When a class counts no more unless the household is assessed anew; None: it does not run out.

    Rigid expenditure is last year's: the recognition ends with the twelve months it was for.
    """
    if eligibility is not EligibilityClass.RIGID_EXPENDITURE:
        return None
    return months_after(since, lines.rigid_valid_months)


def due_at(eligibility: EligibilityClass, since: datetime, lines: Lines) -> datetime | None:
    """When a household of this class is to be looked at again; None: not by itself."""
    months = {
        EligibilityClass.SUBSISTENCE_ALLOWANCE: lines.subsistence_review_months,
        EligibilityClass.EXTREME_POVERTY: lines.extreme_review_months,
        EligibilityClass.LOW_INCOME_EDGE: lines.edge_review_months,
        EligibilityClass.RIGID_EXPENDITURE: lines.rigid_review_months,
    }.get(eligibility)
    return None if months is None else months_after(since, months)


def months_after(moment: datetime, months: int) -> datetime:
    """The same day and time so many months on, or the last day of a month that is shorter.

    >>> months_after(datetime(2026, 1, 31, 9), 13).isoformat()
    '2027-02-28T09:00:00'
    """
    year, month = divmod(moment.month - 1 + months, 12)
    year, month = moment.year + year, month + 1
    return moment.replace(year=year, month=month, day=min(moment.day, monthrange(year, month)[1]))


def snapshot_of(found: Circumstances, lines: Lines) -> dict[str, object]:
    """What an assessment was based on, as JSON that is kept with it; it names nobody."""
    return {
        "members": found.member_count,
        "targetGroups": [group.value for group in groups_of(found.target_groups)],
        "unsupported": found.unsupported,
        "incomeFenMonth": found.income_fen_month,
        "propertyFen": found.property_fen,
        "rigidFenMonth": {
            "medical": found.medical_fen_month,
            "education": found.education_fen_month,
            "disabilityCare": found.disability_care_fen_month,
            "housing": found.housing_fen_month,
            "disaster": found.disaster_fen_month,
        },
        "formula": FORMULA_VERSION,
        "lines": {
            "version": lines.version,
            "countyCode": lines.county_code,
            "area": lines.area.value,
            "validFrom": lines.valid_from.isoformat(),
            "subsistenceFenMonth": lines.subsistence_fen_month,
            "disposableIncomeFenMonth": lines.disposable_income_fen_month,
            "edgePercent": lines.edge_percent,
            "propertyMonths": lines.property_months,
            "edgePropertyMonths": lines.edge_property_months,
            "rigidValidMonths": lines.rigid_valid_months,
            "isAssumption": lines.is_assumption,
        },
    }
