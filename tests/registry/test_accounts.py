"""Accounts and keys: made by the operator, shown once, ended at once."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import timedelta

import pytest

from marketplace.domain.errors import Conflict, Forbidden, InvalidInput, NotFound
from marketplace.domain.permissions import Role
from marketplace.domain.registry.accounts import CreateAccount, new_key
from marketplace.persistence.database import Database
from marketplace.persistence.tables import accounts, api_keys, events
from marketplace.services.registry import accounts as service
from tests.fixtures.county import COUNTY, County, a_county

pytestmark = pytest.mark.one_database  # rules and digests, alike on both


async def an_officer(county: County) -> int:
    command = CreateAccount(
        name="新同事", role=Role.CHARITY_OFFICER, region_id=county.region[COUNTY]
    )
    return await service.create(county.database, county.act("admin"), command)


async def test_a_key_is_shown_once_and_kept_as_a_digest(database: Database) -> None:
    county = await a_county(database)
    account_id = await an_officer(county)

    issued = await service.issue_key(database, county.act("admin"), account_id)

    (row,) = await county.rows(api_keys)
    assert row["digest"] == hashlib.sha256(issued.key.encode()).hexdigest()
    assert issued.key.startswith(row["prefix"])
    assert issued.key not in str(await county.rows(events)) + str(dict(row)) + repr(issued)
    assert len(issued.key) - len(row["prefix"]) > 32


async def test_keys_are_never_the_same() -> None:
    assert len({new_key().key for _ in range(100)}) == 100


async def test_repeating_the_request_does_not_show_the_key_again(database: Database) -> None:
    county = await a_county(database)
    account_id = await an_officer(county)
    act = replace(county.act("admin"), idempotency_key="once")
    await service.issue_key(database, act, account_id)

    with pytest.raises(Conflict) as refused:
        await service.issue_key(database, act, account_id)

    assert refused.value.faults[0].code == "ALREADY_ISSUED"
    assert len(await county.rows(api_keys)) == 1


async def test_a_key_ends_and_an_account_is_disabled(database: Database) -> None:
    county = await a_county(database)
    admin, account_id = county.act("admin"), await an_officer(county)
    issued = await service.issue_key(database, admin, account_id)

    await service.revoke_key(database, admin, issued.key_id)
    with pytest.raises(NotFound):
        await service.revoke_key(database, admin, issued.key_id)
    await service.disable(database, admin, account_id)
    with pytest.raises(Conflict):
        await service.issue_key(database, admin, account_id)

    (key,) = await county.rows(api_keys)
    assert key["revoked_at"] is not None
    kinds = [event["kind"] for event in await county.rows(events)]
    assert kinds == ["account.created", "key.issued", "key.revoked", "account.disabled"]


@pytest.mark.parametrize(
    ("command", "field"),
    [
        (CreateAccount(name="", role=Role.ADMIN), "name"),
        (CreateAccount(name="x", role=Role.PUBLIC), "role"),
        (CreateAccount(name="x", role=Role.PROVIDER), "organization_id"),
        (CreateAccount(name="x", role=Role.GRID_WORKER), "region_id"),
        (CreateAccount(name="x", role=Role.APPLICANT), "household_id"),
        (CreateAccount(name="x", role=Role.ADMIN, region_id=10**9), "region_id"),
        (CreateAccount(name="x", role=Role.ADMIN, organization_id=1), "organization_id"),
    ],
)
async def test_a_role_without_its_scope_is_refused(
    database: Database, command: CreateAccount, field: str
) -> None:
    county = await a_county(database)
    before = await county.rows(accounts)

    with pytest.raises(InvalidInput) as refused:
        await service.create(database, county.act("admin"), command)

    assert refused.value.faults[0].field == (field,)
    assert await county.rows(accounts) == before


async def test_only_the_operator_makes_accounts(database: Database) -> None:
    county = await a_county(database)

    for who in ("charity", "assistance", "auditor", "provider"):
        with pytest.raises(Forbidden):
            await service.create(
                database, county.act(who), CreateAccount(name="x", role=Role.ADMIN)
            )


async def test_an_end_that_has_passed_is_refused(database: Database) -> None:
    county = await a_county(database)
    account_id = await an_officer(county)

    with pytest.raises(InvalidInput):
        await service.issue_key(
            database,
            county.act("admin"),
            account_id,
            expires_at=database.now() - timedelta(seconds=1),
        )

    assert await county.rows(api_keys) == []
