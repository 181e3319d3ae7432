"""Messages to households: put in line with what they tell of, then sent at least once."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta

import orjson

from marketplace.domain.errors import Language, NotFound, Text
from marketplace.domain.messages import MessageStatus, back_off
from marketplace.domain.moves import check_move
from marketplace.domain.outgoing import MESSAGE_MOVES
from marketplace.persistence import messages
from marketplace.persistence.crypto import Sealer
from marketplace.persistence.database import Database, Row, Writing
from marketplace.services.acting import Act, once, record
from marketplace.services.channels import Channel, NotSent, Outgoing

AT_ONCE_MAX = 20
LEASE = timedelta(minutes=10)  # longer than it takes to send as many one after the other

NOUN = Text("message", "消息")

log = logging.getLogger("aidloop.messages")


async def to_household(
    db: Writing, sealer: Sealer, *, household_id: int, text: Text, kind: str, now: datetime
) -> bool:
    """Put a message in line in this transaction; False where the household has no phone.

    kind    what it is about, such as "delivery.code"; it is shown and logged, the text never is
    """
    phone = await messages.phone_of_household(db, sealer, household_id)
    if phone is None:
        return False
    await _enqueue(db, sealer, household_id, phone, text, kind, now)
    return True


async def to_phone(
    db: Writing, sealer: Sealer, *, phone: str, text: Text, kind: str, now: datetime
) -> None:
    """Put a message in line for a phone that is no household's yet."""
    await _enqueue(db, sealer, None, phone, text, kind, now)


async def send_due(
    database: Database, sealer: Sealer, channel: Channel, *, language: Language
) -> int:
    """Send messages that are due, a few at once; how many were taken in hand. A chore.

    Taken, sent, marked: three steps, the middle one outside every transaction. Whoever is killed
    before the last leaves a message that is sent again, under the same key.
    """
    now = database.now()
    async with database.read() as db:
        if not await messages.any_due(db, now=now):
            return 0
    async with database.write() as db:
        taken = await messages.lease(db, now=now, until=now + LEASE, limit=AT_ONCE_MAX)
    for row in taken:
        try:
            await _send(database, sealer, channel, row, language)
        except Exception:  # one that does not open, say, must not keep the others
            log.exception("message %d could not be sent; its lease will end", row["id"])
    return len(taken)


async def send_all(
    database: Database, sealer: Sealer, channel: Channel, *, language: Language
) -> None:
    """Send all that is due by the database's clock, in one go; for a time that is replayed."""
    while await send_due(database, sealer, channel, language=language):
        pass


async def retry(database: Database, act: Act, message_id: int) -> int:
    """Put a message that was given up in line again; its key. Raises NotFound, Conflict."""
    async with once(database, act, "outgoingMessageRetry") as turn:
        if turn.replay is not None:
            return int(str(turn.replay["message"]))
        row = await messages.lock(turn.db, message_id)
        if row is None:
            raise NotFound
        check_move(MESSAGE_MOVES, "outgoingMessageRetry", MessageStatus(row["status"]), NOUN)
        await messages.revive(turn.db, message_id, now=database.now())
        await record(turn, database, "message.retried", "OutgoingMessage", message_id)
        turn.outcome = {"message": message_id}
        return message_id


async def _send(
    database: Database, sealer: Sealer, channel: Channel, row: Row, language: Language
) -> None:
    now, key = database.now(), row["id"]
    if now >= row["give_up_at"]:
        async with database.write() as db:
            await messages.give_up(db, key, error="TOO_OLD")
        log.error("message %d (%s) was not sent in time", key, row["kind"])
        return
    try:
        await channel.send(_opened(sealer, row, language), now=now)
    except NotSent as refused:
        async with database.write() as db:
            await messages.try_again(
                db, key, error=refused.word, at=now + back_off(row["attempts"])
            )
        log.warning("message %d (%s) is tried again: %s", key, row["kind"], refused.word)
        return
    async with database.write() as db:
        await messages.mark_sent(db, key, channel=channel.name, now=now)
    log.info("message %d (%s) was sent by %s", key, row["kind"], channel.name)


def _opened(sealer: Sealer, row: Row, language: Language) -> Outgoing:
    seal_id = row["seal_id"]
    said = orjson.loads(sealer.open(row["text_sealed"], place=messages.TEXT, seal_id=seal_id))
    return Outgoing(
        key=seal_id,
        kind=row["kind"],
        phone=sealer.open(row["phone_sealed"], place=messages.PHONE, seal_id=seal_id),
        text=Text(said["en"], said["zh"]).said_in(language),
        created_at=row["created_at"],
    )


async def _enqueue(
    db: Writing,
    sealer: Sealer,
    household_id: int | None,
    phone: str,
    text: Text,
    kind: str,
    now: datetime,
) -> None:
    said = orjson.dumps({"en": text.en, "zh": text.zh}).decode()
    await messages.enqueue(
        db, sealer, household_id=household_id, phone=phone, text=said, kind=kind, now=now
    )
