"""Personal data: the one door to who is behind a household, for a stated purpose, and recorded."""

from __future__ import annotations

from datetime import date
from typing import Annotated

import strawberry

from marketplace.domain.errors import Forbidden, Text
from marketplace.domain.ids import key_of, opaque_id
from marketplace.domain.registry.households import Relation
from marketplace.services.acting import Act
from marketplace.services.registry import personal_data
from marketplace.services.registry.sealing import sealer_of
from schema.enums import described
from schema.payloads import Info

POST_ONLY = Text(
    "Reading personal data is recorded, so it needs a POST request, never a GET.",
    "查询个人信息须留痕，请使用 POST 请求，不能使用 GET。",
)

described(
    Relation,
    "What a member is to the head of the household.",
    {
        Relation.SELF: "户主, the head.",
        Relation.SPOUSE: "配偶, husband or wife.",
        Relation.CHILD: "子女, a child, also grown up.",
        Relation.PARENT: "父母, a parent.",
        Relation.GRANDCHILD: "孙子女, a grandchild.",
        Relation.GRANDPARENT: "祖父母, a grandparent.",
        Relation.SIBLING: "兄弟姐妹, a brother or sister.",
        Relation.OTHER: "其他, anyone else who lives there.",
    },
)


@strawberry.type(description="A member of a household, in the clear.")
class PersonalMember:
    id: strawberry.ID = strawberry.field(
        description="By which mutations name the member: memberDeceased, householdSplit, …"
    )
    name: str = strawberry.field(description="The full name.")
    relation: Relation = strawberry.field(description="What the member is to the head.")
    identity_number: str | None = strawberry.field(
        description="The number on the identity card, if it is known."
    )
    birth_date: date | None = strawberry.field(description="The day of birth, if it is known.")


@strawberry.type(description="Who is behind a household; that you read it is recorded.")
class PersonalData:
    household_id: strawberry.ID = strawberry.field(description="The household.")
    address: str | None = strawberry.field(description="Where it lives, if that is known.")
    phone: str | None = strawberry.field(description="How to call it, if that is known.")
    members: list[PersonalMember] = strawberry.field(description="The members, the head first.")


@strawberry.type
class PersonalDataQuery:
    @strawberry.field(
        description="Names, numbers and address of one household. Who read it and for what is "
        "recorded in the same transaction; ask only for what your task needs. By POST only."
    )
    async def personal_data(
        self,
        info: Info,
        household_id: Annotated[strawberry.ID, strawberry.argument(description="Whose data.")],
        purpose: Annotated[
            str,
            strawberry.argument(
                description="What you need it for, in a few words, 4 to 200 characters; it is kept."
            ),
        ],
    ) -> PersonalData | None:
        context, key = info.context, key_of("Household", household_id)
        if context.by_get:
            raise Forbidden(POST_ONLY)
        act = Act(viewer=context.viewer, request_id=context.request_id)
        sealer = sealer_of(context.settings)
        return _shown(await personal_data.read(context.database, act, sealer, key, purpose))


def _shown(found: personal_data.PersonalData) -> PersonalData:
    return PersonalData(
        household_id=strawberry.ID(opaque_id("Household", found.household_id)),
        address=found.address,
        phone=found.phone,
        members=[
            PersonalMember(
                id=strawberry.ID(opaque_id("Member", member.member_id)),
                name=member.name,
                relation=member.relation,
                identity_number=member.identity_number,
                birth_date=member.birth_date,
            )
            for member in found.members
        ],
    )
