"""Households: registering them with their members."""

from __future__ import annotations

import sqlalchemy as sa

from marketplace.domain.errors import Conflict, InvalidInput, NotFound
from marketplace.domain.own_household import ones_own
from marketplace.domain.permissions import Viewer
from marketplace.domain.registry.households import RegisterHousehold, check_household
from marketplace.domain.registry.regions import RegionLevel
from marketplace.persistence.crypto import Sealer
from marketplace.persistence.database import Database, Reading, Row
from marketplace.persistence.registry import households, regions
from marketplace.services.acting import Act, Turn, once, record

HOME_LEVELS = frozenset({RegionLevel.VILLAGE, RegionLevel.GRID})


async def register(database: Database, act: Act, sealer: Sealer, command: RegisterHousehold) -> int:
    """Register a household with its members, sealed at once; its key.

    Raises InvalidInput, NotFound for a region outside the viewer's scope, Conflict where a member
    belongs to a household already or the external reference is taken.
    """
    async with once(database, act, "householdRegister") as turn:
        if turn.replay is not None:
            return int(str(turn.replay["household"]))
        household_id = await enter(turn, database, sealer, command)
        turn.outcome = {"household": household_id}
        return household_id


async def enter(turn: Turn, database: Database, sealer: Sealer, command: RegisterHousehold) -> int:
    """Put a household in, in the transaction at hand; its key. Raises as `register` does."""
    db, now = turn.db, database.now()
    await home_region(db, turn.act.viewer, command.region_id)
    check_household(command, today=now.date())
    await not_known_yet(db, sealer, command)
    try:
        (household_id,) = await households.add_many(db, sealer, [command], [now])
    except sa.exc.IntegrityError as error:
        if "identity_number_index" not in str(error.orig):
            raise
        raise someone_is_known() from error
    told = {"members": len(command.members), "region": command.region_id}
    await record(turn, database, "household.registered", "Household", household_id, **told)
    return household_id


def within(viewer: Viewer, region_low: int) -> bool:
    """Whether a place of the tree lies in the viewer's region."""
    return viewer.region_low <= region_low <= viewer.region_high


async def home_region(db: Reading, viewer: Viewer, region_id: int) -> Row:
    """A region where a household may live. Raises NotFound out of scope, InvalidInput above."""
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


async def not_known_yet(db: Reading, sealer: Sealer, command: RegisterHousehold) -> None:
    """Raise Conflict (ALREADY_REGISTERED) where a member or the reference is there already."""
    numbers = [m.identity_number for m in command.members if m.identity_number]
    indexes = [households.identity_index(sealer, number) for number in numbers]
    if await households.known_numbers(db, indexes):
        raise someone_is_known()
    reference = command.external_reference
    if reference is not None and await households.reference_taken(db, reference):
        raise Conflict.of(
            "external_reference",
            "Another household has this external reference.",
            "该外部编号已被其他家庭使用。",
            code="ALREADY_REGISTERED",
        )


def someone_is_known() -> Conflict:
    """The refusal of a person who belongs to a household already."""
    return Conflict.of(
        "members",
        "A member with one of these identity numbers belongs to a household already. "
        "Look for it before you register it anew.",
        "其中有身份证号码已登记在其他家庭，请先查询，勿重复登记。",
        code="ALREADY_REGISTERED",
    )


async def not_ones_own(
    db: Reading, viewer: Viewer, household_id: int, name: str = "household_id"
) -> None:
    """Raise Conflict (OWN_HOUSEHOLD) for whoever belongs to the household."""
    if await households.household_of_account(db, viewer.account_id) == household_id:
        raise Conflict(ones_own(name))
