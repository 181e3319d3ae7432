"""What a match found, as plain values for other programs."""

from __future__ import annotations

from marketplace.domain.errors import Fault
from marketplace.services.matchfiles import proof, shares
from marketplace.services.matchfiles.running import FileRead, Matched
from marketplace.services.matchfiles.writing import unit_cost

LEVELS_MAX = 1_000  # leximin may have tens of thousands; the steps sum them up


def matched_report(matched: Matched) -> dict[str, object]:
    """The report of a plan. Quantities are whole numbers, of any size."""
    plan, market = matched.plan, matched.market
    proven = plan.to_json(components=len(plan.components) <= LEVELS_MAX)
    if len(plan.level_keys) > LEVELS_MAX:
        for name in ("level_keys", "level_asked", "level_served", "level_bound"):
            del proven[name]
    return {
        "outcome": "optimal" if plan.certificate.optimal else plan.status,
        "verdict": {"en": proof.verdict(plan).en, "zh": proof.verdict(plan).zh},
        "files": [_file(file) for file in matched.files],
        "needs": len(market.needs),
        "offers": len(market.offers),
        "pairs": market.problem.n_pairs,
        "total": matched.total.to_json(),
        "steps": [step.to_json() for step in proof.steps(plan)],
        "cost": unit_cost(plan.cost, market) or None,
        "cost_unit": market.cost_unit or None,
        "tables": {table.key: table.to_json() for table in matched.tables},
        "organizations": matched.given.to_json(),
        "first_come_first_served": _first_come(matched),
        "skipped": {"rows": matched.skipped_count, "faults": faults_report(matched.skipped)},
        "seconds": matched.seconds,
        "plan": proven,
    }


def faults_report(faults: tuple[Fault, ...]) -> list[dict[str, object]]:
    """Each fault by file, row and column, with its reason in both languages."""
    return [
        {
            "field": list(fault.field),
            "code": fault.code,
            "en": fault.text.en,
            "zh": fault.text.zh,
        }
        for fault in faults
    ]


def _file(file: FileRead) -> dict[str, object]:
    return {
        "name": file.name,
        "sha256": file.sha256,
        "rows": file.rows,
        "used": file.used,
        "left_out_as_too_large": file.too_large,
        "unknown_columns": list(file.unknown_columns),
        "implausible": [
            {"id": id_, "category": kind, "quantity": found.quantity, "median": found.median}
            for id_, kind, found in file.implausible
        ],
    }


def _first_come(matched: Matched) -> dict[str, object] | None:
    if matched.first_come is None:
        return None
    needs, served = matched.market.needs, matched.first_come.units
    return {
        "total": shares.total(needs, served).to_json(),
        "tables": {table.key: table.to_json() for table in shares.tables(needs, served)},
        "cost": unit_cost(matched.first_come.cost, matched.market) or None,
    }
