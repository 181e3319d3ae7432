"""Who acts in the story: the accounts of the demo's staff, as viewers of their scopes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from marketplace.domain.permissions import Role, Viewer
from marketplace.persistence.crypto import Sealer
from marketplace.persistence.database import Database, Row
from marketplace.services.acting import Act
from marketplace.services.demo.ground import COUNTY, TOWN, Ground, Staff
from marketplace.services.demo.story.calendar import Calendar

OF_THE_TOWN = frozenset({"SOCIAL_WORKER"})


@dataclass(slots=True, kw_only=True)
class Company:
    """The stage of the story.

    providers    organization's name -> its key
    grid         key of a grid cell -> account of its grid worker, as they are taken on
    """

    database: Database
    calendar: Calendar
    sealer: Sealer
    on: Ground
    staff: Staff
    providers: Mapping[str, int]
    grid: dict[int, int] = field(default_factory=dict)

    def as_(self, name: str) -> Act:
        """An act of one of the staff, by the name of its key; a little later than the last one."""
        region = self.on.regions[TOWN if name in OF_THE_TOWN else COUNTY]
        role = Role(name.removesuffix("_2"))
        return self._act(role, self.staff.by_role[name], region=region)

    def as_township_of(self, region_id: int) -> Act:
        """An act of the township office that a grid cell belongs to."""
        town = self.on.town_of(region_id)
        account = self.staff.by_town[str(town["code"])]
        return self._act(Role.TOWNSHIP_OFFICER, account, region=town)

    def as_grid_worker_of(self, region_id: int) -> Act:
        region = self.on.regions_by_id[region_id]
        return self._act(Role.GRID_WORKER, self.grid[region_id], region=region)

    def as_provider(self, name: str) -> Act:
        key = self.providers[name]
        account = self.staff.by_organization[key]
        return self._act(self._role_of(name), account, organization_id=key)

    def _role_of(self, name: str) -> Role:
        return Role.FEDERATION if name.endswith("慈善总会") else Role.PROVIDER

    def _act(
        self,
        role: Role,
        account_id: int,
        *,
        region: Row | None = None,
        organization_id: int | None = None,
    ) -> Act:
        self.calendar.goes_on()
        scope = {}
        if region is not None:
            scope = {
                "region_id": int(region["id"]),
                "region_low": int(region["tree_low"]),
                "region_high": int(region["tree_high"]),
            }
        viewer = Viewer(
            role=role,
            account_id=account_id,
            organization_id=organization_id,
            language="zh-CN",
            **scope,
        )
        return Act(viewer=viewer)
