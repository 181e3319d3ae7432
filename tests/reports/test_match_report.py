"""aidloop match --report: the picture of a plan from files."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

from tests.matchfiles.command import run

PAGE = "plan.html"


def files(count: int) -> dict[str, str]:
    """Rice for `count` households of one township and two of another, half of it there."""
    rows = [f"n{i},rice,10,80,361027100201,ELDERLY_ALONE" for i in range(count)]
    rows += [f"m{i},rice,10,20,361027101000,独居" for i in range(2)]
    return {
        "needs": "need_id,category,quantity,severity,region,groups\n" + "\n".join(rows) + "\n",
        "offers": f"offer_id,category,quantity,organization\no1,rice,{count * 5},<b>Charity</b>\n",
    }


def test_a_page_is_written_whole_and_needs_nothing_else(tmp_path: Path) -> None:
    page = tmp_path / "new" / PAGE

    answer = run(tmp_path, "--report", str(page), **files(12))

    assert answer.code == 0, answer.stderr
    html = page.read_text("utf-8")
    assert html.startswith("<!doctype html>")
    assert html.rstrip().endswith("</html>")
    assert "Certified optimal" in html
    assert "Xiugu" in html
    assert "elderly living alone" in html
    assert "&lt;b&gt;Charity" in html
    assert "<b>" not in html
    assert "<script" not in html
    assert "http" not in html.replace("http-equiv", "")
    assert "<dd>14</dd>" in html
    assert [path.name for path in page.parent.iterdir()] == [PAGE]


def test_a_plan_that_serves_nothing_has_its_page_too(tmp_path: Path) -> None:
    page = tmp_path / PAGE
    needs = "need_id,category,quantity\nn1,rice,8\n"
    offers = "offer_id,category,quantity\no1,quilt,9\n"

    answer = run(tmp_path, "--report", str(page), "--language", "zh", needs=needs, offers=offers)

    assert answer.code == 0, answer.stderr
    assert "不足五户" in page.read_text("utf-8")


def test_a_page_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    answer = run(tmp_path, "--report", str(tmp_path / "file" / PAGE))

    assert answer.code == 1
    assert "cannot be written" in answer.stderr


def test_a_page_never_takes_the_place_of_an_input(tmp_path: Path) -> None:
    answer = run(tmp_path, "--report", str(tmp_path / "needs.csv"))

    assert answer.code == 2
    assert "n1" in (tmp_path / "needs.csv").read_text("utf-8")


def test_without_the_extra_it_says_what_to_install_before_it_solves(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name: None if name == "vl_convert" else found(name)
    )

    answer = run(tmp_path, "--report", str(tmp_path / PAGE))

    assert answer.code == 1
    assert "pip install 'aidloop[report]'" in answer.stderr
    assert answer.plan is None
