"""Households: registering them with their members, and assessing what they live on."""

from __future__ import annotations

from dataclasses import dataclass, replace

from marketplace.domain.errors import Conflict, InvalidInput, NotFound
from marketplace.domain.permissions import Viewer
from marketplace.domain.registry.assessments import (
    Circumstances,
    EligibilityClass,
    area_of,
)
from marketplace.domain.registry.assessments import (
    assess as assessed,
)
from marketplace.domain.registry.households import RegisterHousehold, check_household
from marketplace.domain.registry.regions import RegionLevel
from marketplace.persistence.crypto import Sealer
from marketplace.persistence.database import Database, Reading, Row
from marketplace.persistence.registry import households, regions
from marketplace.services.acting import Act, once, record
from marketplace.services.registry.lines import lines_of

HOME_LEVELS = frozenset({RegionLevel.VILLAGE, RegionLevel.GRID})
REASON_LENGTH_MIN = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class AssessHousehold:
    """What was found; heads and groups are the household's own.

    override   another class than the formula's, with the reason that makes it right
    """

    household_id: int
    found: Circumstances
    override: EligibilityClass | None = None
    override_reason: str | None = None


async def register(database: Database, act: Act, sealer: Sealer, command: RegisterHousehold) -> int:
    """Register a household with its members, sealed at once; its key.

    Raises InvalidInput, NotFound for a region outside the viewer's scope, Conflict where a member
    belongs to a household already or the external reference is taken.
    """
    async with once(database, act, "householdRegister") as turn:
        if turn.replay is not None:
            return int(str(turn.replay["household"]))
        db, now = turn.db, database.now()
        await _home_region(db, act.viewer, command.region_id)
        check_household(command, today=now.date())
        await _not_known_yet(db, sealer, command)
        (household_id,) = await households.add_many(db, sealer, [command], [now])
        told = {"members": len(command.members), "region": command.region_id}
        await record(turn, database, "household.registered", "Household", household_id, **told)
        turn.outcome = {"household": household_id}
        return household_id


async def assess(database: Database, act: Act, command: AssessHousehold) -> int:
    """Write down an assessment, which stands until the next one; its key.

    Raises InvalidInput (among others POLICY_MISSING), NotFound outside the viewer's scope,
    Conflict for one's own household.
    """
    async with once(database, act, "householdAssess") as turn:
        if turn.replay is not None:
            return int(str(turn.replay["assessment"]))
        db, now = turn.db, database.now()
        household = await households.lock(db, command.household_id)
        if household is None or not within(act.viewer, household["region_low"]):
            raise NotFound
        await _not_ones_own(db, act.viewer, command.household_id)
        lines = lines_of(
            await households.county_code(db, household["region_low"]),
            area_of(household["region_code"]),
            now.date(),
        )
        found = replace(
            command.found,
            member_count=household["member_count"],
            target_groups=household["target_groups"],
        )
        result = assessed(found, lines)
        row = households.assessment_row(
            command.household_id,
            found,
            result,
            assessed_by=act.viewer.account_id,
            assessed_at=now,
        ) | _override(command, result.eligibility_class)
        assessment_id = await households.add_assessment(db, row)
        told = {"severity": result.severity, "class": str(row["eligibility_class"])}
        await record(
            turn, database, "household.assessed", "Household", command.household_id, **told
        )
        turn.outcome = {"assessment": assessment_id}
        return assessment_id


def within(viewer: Viewer, region_low: int) -> bool:
    """Whether a place of the tree lies in the viewer's region."""
    return viewer.region_low <= region_low <= viewer.region_high


async def _home_region(db: Reading, viewer: Viewer, region_id: int) -> Row:
    region = await regions.by_id(db, region_id)
    if region is None or not within(viewer, region["tree_low"]):
        raise NotFound
    if region["level"] not in HOME_LEVELS:
        raise InvalidInput.of(
            "region_id",
            "A household lives in a village, community or grid cell. Choose one below this region.",
            "家庭须登记在村（社区）或网格，请选择该区划的下级。",
        )
    return region


async def _not_known_yet(db: Reading, sealer: Sealer, command: RegisterHousehold) -> None:
    numbers = [m.identity_number for m in command.members if m.identity_number]
    indexes = [households.identity_index(sealer, number) for number in numbers]
    if await households.known_numbers(db, indexes):
        raise Conflict.of(
            "members",
            "A member with one of these identity numbers belongs to a household already. "
            "Look for it before you register it anew.",
            "其中有身份证号码已登记在其他家庭，请先查询，勿重复登记。",
            code="ALREADY_REGISTERED",
        )
    reference = command.external_reference
    if reference is not None and await households.reference_taken(db, reference):
        raise Conflict.of(
            "external_reference",
            "Another household has this external reference.",
            "该外部编号已被其他家庭使用。",
            code="ALREADY_REGISTERED",
        )


async def _not_ones_own(db: Reading, viewer: Viewer, household_id: int) -> None:
    if await households.household_of_account(db, viewer.account_id) == household_id:
        raise Conflict.of(
            "household_id",
            "Nobody handles the case of the own household. Ask a colleague.",
            "不得办理本人家庭的业务，请由其他工作人员办理。",
            code="OWN_HOUSEHOLD",
        )


def _override(command: AssessHousehold, computed: EligibilityClass) -> dict[str, object]:
    reason = (command.override_reason or "").strip()
    if command.override is None or command.override is computed:
        return {}
    if len(reason) < REASON_LENGTH_MIN:
        raise InvalidInput.of(
            "override_reason",
            "Say why another class than the computed one is right.",
            "认定结果与测算不一致时，须填写理由。",
            code="REQUIRED",
        )
    return {"eligibility_class": command.override, "override_reason": reason}
