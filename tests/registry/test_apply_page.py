"""The printed link: made by an officer, and leading to a form that asks for what the API takes."""

from __future__ import annotations

import re
from xml.etree import ElementTree

import pytest
from graphql import parse, validate

from marketplace.domain.ids import opaque_id
from marketplace.settings import Settings
from schema.apply_page import ASSETS
from schema.root import build_schema
from tests.fixtures.county import COUNTY, HUWAN, VILLAGE
from tests.fixtures.county_served import Asked

LINK = "query ($id: ID!) { applicationLink(regionId: $id) { url svg } }"

pytestmark = pytest.mark.one_database


async def test_a_printed_link_leads_to_a_form_of_this_place(asked: Asked) -> None:
    region = {code: opaque_id("Region", key) for code, key in asked.county.region.items()}

    link = asked.read("township", LINK, {"id": region[VILLAGE]})

    assert link["url"].endswith(f"/apply?region={VILLAGE}")
    assert ElementTree.fromstring(link["svg"]).tag.endswith("svg")
    assert asked.refused("township", LINK, {"id": region[HUWAN]}) == "NOT_FOUND"
    assert asked.refused("assistance", LINK, {"id": region[COUNTY]}) == "INVALID"
    for who in ("charity", "provider"):
        assert asked.refused(who, LINK, {"id": region[VILLAGE]}) == "FORBIDDEN"
    assert asked.refused(None, LINK, {"id": region[VILLAGE]}) == "UNAUTHENTICATED"
    page = asked.server.client.get(f"/apply?region={VILLAGE}")
    assert page.status_code == 200
    assert "default-src 'none'" in page.headers["content-security-policy"]
    named = re.findall(r'(?:src|href)="([^"]+)"', page.text)
    assert named == ["/apply/apply.css", "/apply/apply.js"]
    assert all(asked.server.client.get(path).status_code == 200 for path in named)


def test_what_the_form_sends_fits_the_graph() -> None:
    graph = build_schema(Settings())._schema
    script = (ASSETS / "apply.js").read_text(encoding="utf-8")
    documents = re.findall(r"`((?:mutation|query)[^`]+)`", script)

    assert len(documents) == 3
    for document in documents:
        assert validate(graph, parse(document)) == []
