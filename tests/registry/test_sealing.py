"""Sealing: what is sealed opens only in its place, and is found only with the key."""

from __future__ import annotations

import base64
import stat
from pathlib import Path

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from marketplace.persistence.crypto import SealBroken, Sealer, new_seal_id, sealer_from
from marketplace.persistence.database import Database
from marketplace.persistence.registry import sealed
from marketplace.persistence.tables import needs
from marketplace.services.registry.sealing import broken, reseal
from marketplace.settings import Settings, SettingsError
from tests.fixtures.market import a_household, a_market, a_need

SEALER = Sealer({"k1": b"1" * 32}, b"i" * 32)
HERE = {"place": "members.name", "seal_id": "a" * 32}


@given(st.text())
def test_what_is_sealed_opens_again(text: str) -> None:
    assert SEALER.open(SEALER.seal(text, **HERE), **HERE) == text


@given(st.text(), st.integers(min_value=0), st.integers(1, 255))
def test_an_edited_seal_fails_loudly(text: str, where: int, flip: int) -> None:
    key_id, _, body = SEALER.seal(text, **HERE).partition(":")
    raw = bytearray(base64.b64decode(body))
    raw[where % len(raw)] ^= flip

    with pytest.raises(SealBroken):
        SEALER.open(f"{key_id}:{base64.b64encode(raw).decode()}", **HERE)


@pytest.mark.parametrize(
    "elsewhere",
    [
        {"place": "members.identity_number", "seal_id": "a" * 32},
        {"place": "members.name", "seal_id": "b" * 32},
    ],
)
def test_a_seal_that_was_moved_to_another_row_or_column_does_not_open(
    elsewhere: dict[str, str],
) -> None:
    moved = SEALER.seal("王小明", **HERE)

    with pytest.raises(SealBroken) as refused:
        SEALER.open(moved, **elsewhere)

    assert "王小明" not in str(refused.value)


@pytest.mark.parametrize("text", ["", "k1", "k1:", "k1:!!!", "k9:AAAA", "plain text", "k1:AAAA"])
def test_what_was_never_sealed_does_not_open(text: str) -> None:
    with pytest.raises(SealBroken):
        SEALER.open(text, **HERE)


def test_the_same_text_never_looks_the_same_and_hides_its_length() -> None:
    short, other, long = (SEALER.seal(name, **HERE) for name in ("李四", "李四", "欧阳娜娜"))

    assert short != other
    assert len(short) == len(long)


def test_a_number_is_found_however_it_is_typed_and_only_in_its_own_column() -> None:
    place = "members.identity_number"
    typed = ["99902719900101001x", "９９９０２７-19900101-001X", " 999027 19900101 001X "]

    assert len({SEALER.blind_index(text, place=place) for text in typed}) == 1
    assert SEALER.blind_index(typed[0], place=place) != SEALER.blind_index(
        typed[0], place="households.phone"
    )
    assert SEALER.blind_index(typed[0], place=place) != Sealer(
        {"k1": b"1" * 32}, b"j" * 32
    ).blind_index(typed[0], place=place)


def test_keys_are_made_once_for_development_and_readable_by_the_user_alone(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path)

    first = sealer_from(settings).seal("秀谷镇", **HERE)
    again = sealer_from(settings)

    assert again.open(first, **HERE) == "秀谷镇"
    path = tmp_path / "keys" / "seal.json"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert list(path.parent.iterdir()) == [path]


def test_production_refuses_to_start_without_keys(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="AIDLOOP_ENCRYPTION_KEYS"):
        sealer_from(Settings(data_dir=tmp_path, profile="production"))

    assert list(tmp_path.iterdir()) == []


KEY_A, KEY_B = (base64.b64encode(letter * 32).decode() for letter in (b"a", b"b"))


@pytest.mark.parametrize(
    ("keys", "index"),
    [
        (f"k1:{KEY_A}", ""),
        ("", KEY_B),
        (KEY_A, KEY_B),
        ("k1:c2hvcnQ=", KEY_B),
        (f"k1:{KEY_A}", "not base64!"),
        (f"k1:{KEY_A}", KEY_A),
        (f"k1:{KEY_A},k1:{KEY_B}", KEY_B),
    ],
)
def test_keys_of_no_use_are_refused_by_name(tmp_path: Path, keys: str, index: str) -> None:
    settings = Settings(data_dir=tmp_path, encryption_keys=keys, blind_index_key=index)

    with pytest.raises(SettingsError, match="KEY") as refused:
        sealer_from(settings)

    assert KEY_A not in str(refused.value)


def test_a_broken_key_file_is_named_and_never_replaced(tmp_path: Path) -> None:
    path = tmp_path / "keys" / "seal.json"
    path.parent.mkdir()
    path.write_text("{")

    with pytest.raises(SettingsError, match=r"seal\.json"):
        sealer_from(Settings(data_dir=tmp_path))

    assert path.read_text() == "{"


def test_every_sealed_column_has_a_row_to_be_bound_to() -> None:
    assert {"members.name", "members.identity_number", "households.address", "needs.note"} <= {
        place.name for place in sealed.PLACES
    }
    assert all("seal_id" in place.table.c for place in sealed.PLACES)


async def test_everything_can_be_put_under_a_new_key(database: Database) -> None:
    market = await a_market(database)
    household_id = await a_household(market)
    for text in ("一", "二", "三"):
        seal_id = new_seal_id()
        note = SEALER.seal(text, place="needs.note", seal_id=seal_id)
        await a_need(market, household_id, note_sealed=note, seal_id=seal_id)
    both = Sealer({"k2": b"2" * 32, "k1": b"1" * 32}, b"i" * 32)
    new_alone = Sealer({"k2": b"2" * 32}, b"i" * 32)
    assert await broken(database, new_alone) == ["needs.note"]

    changed = await reseal(database, both, batch=2)

    assert (changed, await reseal(database, both)) == (3, 0)
    assert await broken(database, new_alone) == []
    async with database.read() as db:
        rows = await db.rows(sa.select(needs).order_by(needs.c.id))
    notes = [
        new_alone.open(r["note_sealed"], place="needs.note", seal_id=r["seal_id"]) for r in rows
    ]
    assert notes == ["一", "二", "三"]
