"""Messages to households: sealed while they wait, sent at least once, then forgotten."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from standardwebhooks import Webhook

from marketplace.domain.errors import Text
from marketplace.persistence.crypto import Sealer
from marketplace.persistence.database import Database
from marketplace.persistence.tables import households, messages
from marketplace.services import messages as service
from marketplace.services.channels import ConsoleChannel, Outgoing, WebhookChannel, channel_of
from marketplace.services.signing import new_secret
from marketplace.settings import Settings, SettingsError
from tests.fixtures.asked import asked, give_keys
from tests.fixtures.market import Market, a_household
from tests.messages.conftest import Clock
from tests.messages.receiver import Receiver

PHONE = "13800138000"
OUTGOING = """{ outgoingMessages(first: 9) { nodes {
    id kind status error attempts allowedMoves } } }"""
RETRY = """mutation ($input: OutgoingMessageRetryInput!) { outgoingMessageRetry(input: $input) {
    message { status attempts } userErrors { field code } } }"""
SAID = Text("Your code is 123456.", "您的验证码是 123456。")


class Killed(BaseException):
    """The process ends here, as far as what it has committed can tell."""


class KilledAfterSending(WebhookChannel):
    async def send(self, message: Outgoing, *, now: object) -> None:
        await super().send(message, now=now)  # type: ignore[arg-type]
        raise Killed


async def queued(database: Database, sealer: Sealer) -> None:
    async with database.write() as db:
        await service.to_phone(
            db, sealer, phone=PHONE, text=SAID, kind="test.code", now=database.now()
        )


async def row(database: Database) -> Mapping[str, object]:
    async with database.read() as db:
        found = await db.row(sa.select(messages))
    assert found is not None
    return found


async def sent(database: Database, sealer: Sealer, channel: object) -> int:
    return await service.send_due(database, sealer, channel, language="zh-CN")  # type: ignore[arg-type]


async def test_a_message_waits_sealed_is_sent_signed_and_is_then_forgotten(
    clocked: Database, sealer: Sealer, receiver: Receiver
) -> None:
    await queued(clocked, sealer)
    waiting = await row(clocked)
    secret = new_secret()

    assert PHONE not in str(waiting)
    assert "123456" not in str(waiting)
    assert await sent(clocked, sealer, WebhookChannel(f"{receiver.url}/sms", secret)) == 1
    assert await sent(clocked, sealer, WebhookChannel(f"{receiver.url}/sms", secret)) == 0

    (got,) = receiver.got
    assert got.path == "/sms"
    assert got.json["data"] == {"to": PHONE, "text": SAID.zh, "kind": "test.code"}
    assert got.headers["idempotency-key"] == got.headers["webhook-id"]
    Webhook(secret).verify(got.body, got.headers)
    after = await row(clocked)
    assert (after["status"], after["channel"], after["attempts"]) == ("SENT", "webhook", 1)
    assert (after["phone_sealed"], after["text_sealed"]) == (None, None)


async def test_whoever_is_killed_between_sending_and_marking_sends_it_again_under_the_same_key(
    clocked: Database, sealer: Sealer, receiver: Receiver, clock: Clock
) -> None:
    await queued(clocked, sealer)
    secret = new_secret()

    with pytest.raises(Killed):
        await sent(clocked, sealer, KilledAfterSending(receiver.url, secret))
    assert (await row(clocked))["status"] == "QUEUED"
    assert await sent(clocked, sealer, WebhookChannel(receiver.url, secret)) == 0, "it is leased"
    clock.pass_by(service.LEASE)
    assert await sent(clocked, sealer, WebhookChannel(receiver.url, secret)) == 1

    first, second = receiver.got
    assert first.headers["webhook-id"] == second.headers["webhook-id"]
    assert first.body == second.body
    assert (await row(clocked))["status"] == "SENT"


async def test_what_a_gateway_refuses_is_tried_later_and_later_and_is_never_lost(
    clocked: Database, sealer: Sealer, receiver: Receiver, clock: Clock
) -> None:
    await queued(clocked, sealer)
    channel = WebhookChannel(receiver.url, new_secret())
    receiver.answers = [503, 302, b"no http at all\r\n"]

    for seconds, error in ((5, "HTTP_503"), (20, "HTTP_302"), (80, "NO_ANSWER")):
        assert await sent(clocked, sealer, channel) == 1
        assert (await row(clocked))["error"] == error
        clock.pass_by(timedelta(seconds=seconds - 1))
        assert await sent(clocked, sealer, channel) == 0
        clock.pass_by(timedelta(seconds=1))
    assert [each.path for each in receiver.got] == ["/"] * 3, "redirects are not followed"
    clock.pass_by(timedelta(days=3))
    assert await sent(clocked, sealer, channel) == 1

    kept = await row(clocked)
    assert (kept["status"], kept["error"]) == ("FAILED", "TOO_OLD")
    assert sealer.open(
        str(kept["phone_sealed"]), place="messages.phone", seal_id=str(kept["seal_id"])
    )
    assert len(receiver.got) == 3


async def test_a_message_lives_and_dies_with_its_transaction(
    market: Market, sealer: Sealer
) -> None:
    with_phone, without = await a_household(market), await a_household(market)
    seal_id = str((await market.row(households, with_phone))["seal_id"])
    sealed = sealer.seal(PHONE, place="households.phone", seal_id=seal_id)

    async def tell(household_id: int) -> bool:
        async with market.database.write() as db:
            return await service.to_household(
                db,
                sealer,
                household_id=household_id,
                text=SAID,
                kind="k",
                now=market.database.now(),
            )

    async with market.database.write() as db:
        await db.execute(
            sa.update(households).where(households.c.id == with_phone).values(phone_sealed=sealed)
        )
    with pytest.raises(ZeroDivisionError):
        async with market.database.write() as db:
            await service.to_phone(
                db, sealer, phone=PHONE, text=SAID, kind="k", now=market.database.now()
            )
            raise ZeroDivisionError
    assert not await tell(without)
    assert await market.count(messages) == 0
    assert await tell(with_phone)
    assert (await row(market.database))["household_id"] == with_phone


@pytest.mark.one_database
async def test_the_console_shows_a_message_in_development_alone_and_the_log_never_does(
    clocked: Database,
    sealer: Sealer,
    capsys: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    for shows_text in (True, False):
        await queued(clocked, sealer)
        assert await sent(clocked, sealer, ConsoleChannel(shows_text=shows_text)) == 1

    printed = capsys.readouterr().out
    assert printed == f"[test.code] {PHONE}: {SAID.zh}\n"
    assert "test.code" in caplog.text
    assert PHONE not in caplog.text
    assert "123456" not in caplog.text


@pytest.mark.one_database
async def test_one_message_that_does_not_open_keeps_no_other(
    clocked: Database, sealer: Sealer, receiver: Receiver, caplog: pytest.LogCaptureFixture
) -> None:
    await queued(clocked, Sealer({"lost": b"2" * 32}, b"i" * 32))
    await queued(clocked, sealer)

    assert await sent(clocked, sealer, WebhookChannel(receiver.url, new_secret())) == 2

    assert len(receiver.got) == 1
    assert "its lease will end" in caplog.text


def test_the_settings_choose_the_channel_and_refuse_half_of_one() -> None:
    url, secret = "https://sms.example.cn/send", new_secret()
    chosen = {"AIDLOOP_MESSAGE_CHANNEL": "webhook", "AIDLOOP_MESSAGE_WEBHOOK_URL": url}

    assert channel_of(Settings()).name == "console"
    whole = chosen | {"AIDLOOP_MESSAGE_WEBHOOK_SECRET": secret}
    assert channel_of(Settings.from_env(whole)) == WebhookChannel(url, secret)
    assert secret not in repr(channel_of(Settings.from_env(whole)))
    for wrong in (
        {"AIDLOOP_MESSAGE_CHANNEL": "pigeon"},
        {"AIDLOOP_MESSAGE_CHANNEL": "webhook"},
        chosen,
        chosen | {"AIDLOOP_MESSAGE_WEBHOOK_SECRET": "whsec_short"},
    ):
        with pytest.raises(SettingsError, match="AIDLOOP_MESSAGE"):
            Settings.from_env(wrong)


@pytest.mark.one_database
async def test_the_operator_sees_what_was_given_up_and_sends_it_again(
    market: Market, database_url: str, tmp_path: Path, receiver: Receiver, clock: Clock
) -> None:
    await give_keys(market)
    with asked(market, database_url, tmp_path) as server:
        await queued(market.database, server.sealer)
        clock.pass_by(timedelta(days=4))
        await sent(market.database, server.sealer, WebhookChannel(receiver.url, new_secret()))
        listed = {
            who: server.see(who, OUTGOING)["outgoingMessages"]["nodes"]
            for who in ("admin", "auditor", "reviewer", "provider", None)
        }
        (failed,) = listed["admin"]
        refused = [server.refused(who, RETRY, {"id": failed["id"]}) for who in ("auditor", None)]
        again = server.do("admin", RETRY, {"id": failed["id"]})["message"]
        twice = server.refused("admin", RETRY, {"id": failed["id"]})
        clock.at = datetime.now(UTC)
        await sent(market.database, server.sealer, WebhookChannel(receiver.url, new_secret()))

    assert (failed["status"], failed["error"], failed["kind"]) == ("FAILED", "TOO_OLD", "test.code")
    assert failed["allowedMoves"] == ["outgoingMessageRetry"]
    assert listed["auditor"] == [failed | {"allowedMoves": []}]
    assert listed["reviewer"] == listed["provider"] == listed[None] == []
    assert refused == ["FORBIDDEN", "UNAUTHENTICATED"]
    assert (again["status"], twice) == ("QUEUED", "CONFLICT")
    assert [got.json["data"]["to"] for got in receiver.got] == [PHONE]
