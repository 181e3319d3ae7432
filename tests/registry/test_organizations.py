"""Organizations: whoever applies is written down, and the charity desk verifies."""

from __future__ import annotations

from typing import Any

import pytest

from marketplace.domain.errors import Conflict, Forbidden, InvalidInput, NotFound
from marketplace.domain.registry.organizations import OrganizationKind, RegisterOrganization
from marketplace.persistence.database import Database
from marketplace.persistence.tables import events, organizations
from marketplace.services.registry import organizations as service
from tests.fixtures.county import COUNTY, County, a_county


def an_association(county: County, **changes: Any) -> RegisterOrganization:
    values: dict[str, Any] = {
        "kind": OrganizationKind.CHARITY,
        "name": "测试慈善会",
        "region_id": county.region[COUNTY],
        "external_reference": "ORG-1",
    }
    return RegisterOrganization(**values | changes)


async def test_an_organization_applies_and_is_verified_once(database: Database) -> None:
    county = await a_county(database)
    act = county.act("charity")
    key = await service.register(database, act, an_association(county))
    (applied,) = await county.rows(organizations)

    await service.verify(database, act, key)

    (verified,) = await county.rows(organizations)
    assert (applied["status"], verified["status"]) == ("APPLIED", "VERIFIED")
    assert verified["version"] == applied["version"] + 1
    kinds = [event["kind"] for event in await county.rows(events)]
    assert kinds == ["organization.registered", "organization.verified"]
    with pytest.raises(Conflict, match="VERIFIED"):
        await service.verify(database, act, key)


async def test_what_no_organization_can_be_is_refused(database: Database) -> None:
    county = await a_county(database)
    act = county.act("charity")
    await service.register(database, act, an_association(county))

    for changes, error in (
        ({"name": "x", "external_reference": None}, InvalidInput),
        ({"region_id": 10**9, "external_reference": None}, InvalidInput),
        ({}, Conflict),
    ):
        with pytest.raises(error):
            await service.register(database, act, an_association(county, **changes))
    with pytest.raises(Forbidden):
        await service.register(database, county.act("provider"), an_association(county))
    with pytest.raises(NotFound):
        await service.verify(database, act, 10**9)

    assert len(await county.rows(organizations)) == 1
