"""The link that households of a place apply by, and the code to print for it."""

from __future__ import annotations

import io
from typing import Annotated

import segno
import strawberry

from marketplace.domain.ids import key_of
from marketplace.services.acting import Act
from marketplace.services.registry import apply_links
from schema.payloads import Info


@strawberry.type(description="A link to apply by, for one place.")
class ApplicationLink:
    url: str = strawberry.field(description="Where the form is, with the place filled in.")
    svg: str = strawberry.field(description="The same as a QR code to print, an SVG picture.")


@strawberry.type
class ApplicationLinkQuery:
    @strawberry.field(
        description="The link that households of a township, village or grid cell apply by."
    )
    async def application_link(
        self,
        info: Info,
        region_id: Annotated[strawberry.ID, strawberry.argument(description="Which place.")],
    ) -> ApplicationLink | None:
        context, key = info.context, key_of("Region", region_id)
        act = Act(viewer=context.viewer, request_id=context.request_id)
        url = await apply_links.link_to(context.database, act, context.settings, key)
        return ApplicationLink(url=url, svg=_drawn(url))


def _drawn(url: str) -> str:
    picture = io.BytesIO()
    segno.make(url, error="m", micro=False).save(picture, kind="svg", scale=4, xmldecl=False)
    return picture.getvalue().decode().strip()
