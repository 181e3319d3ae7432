"""A household and its members as an officer writes them down."""

from __future__ import annotations

from datetime import date

import strawberry
from strawberry import ID

from marketplace.domain.ids import key_of
from marketplace.domain.registry.households import (
    MonitoringCategory,
    NewMember,
    RegisterHousehold,
    Relation,
    TargetGroup,
    group_mask,
)

# Described there before they are used here.
from schema.registry import households as _described_groups  # noqa: F401
from schema.registry import personal_data as _described_relations  # noqa: F401


@strawberry.input(description="A person of a household; everything that names it is sealed.")
class MemberInput:
    name: str = strawberry.field(description="The full name, at most 100 characters.")
    relation: Relation = strawberry.field(description="What it is to the head; SELF: the head.")
    identity_number: str | None = strawberry.field(
        description="The number on the identity card, 18 places.", default=None
    )
    birth_date: date | None = strawberry.field(
        description="The day of birth, where there is no identity number.", default=None
    )
    target_groups: list[TargetGroup] = strawberry.field(
        description="Groups that this person brings to the household.", default_factory=list
    )

    def to_member(self) -> NewMember:
        return NewMember(
            name=self.name.strip(),
            relation=Relation(self.relation),
            identity_number=self.identity_number or None,
            birth_date=self.birth_date,
            target_groups=group_mask(TargetGroup(each) for each in self.target_groups),
        )


@strawberry.input(description="A household as an officer writes it down.")
class HouseholdInput:
    region_id: ID = strawberry.field(description="The village, community or grid cell.")
    members: list[MemberInput] = strawberry.field(
        description="Who belongs to it, exactly one of them its head."
    )
    address: str = strawberry.field(
        description="Where it lives, at most 200 characters.", default=""
    )
    phone: str | None = strawberry.field(
        description="How to call it, 7 to 12 digits.", default=None
    )
    target_groups: list[TargetGroup] = strawberry.field(
        description="Groups of the household as a whole.", default_factory=list
    )
    monitoring_category: MonitoringCategory | None = strawberry.field(
        description="Whether and how it is watched.", default=None
    )
    member_count: int | None = strawberry.field(
        description="How many people, where not all are named; left out: as many as are.",
        default=None,
    )
    latitude: float | None = strawberry.field(
        description="Degrees north; with longitude.", default=None
    )
    longitude: float | None = strawberry.field(
        description="Degrees east; with latitude.", default=None
    )
    external_reference: str | None = strawberry.field(
        description="The number it goes by elsewhere, unique, at most 64 characters.", default=None
    )

    def to_command(self) -> RegisterHousehold:
        return RegisterHousehold(
            region_id=key_of("Region", self.region_id),
            members=tuple(member.to_member() for member in self.members),
            address=self.address.strip(),
            phone=self.phone or None,
            target_groups=group_mask(TargetGroup(each) for each in self.target_groups),
            monitoring_category=None
            if self.monitoring_category is None
            else MonitoringCategory(self.monitoring_category),
            member_count=self.member_count,
            latitude=self.latitude,
            longitude=self.longitude,
            external_reference=self.external_reference,
        )
