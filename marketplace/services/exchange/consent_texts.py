"""Consent texts: publishing a wording that households agree to, and ending one."""

from __future__ import annotations

from marketplace.domain.errors import Conflict, NotFound
from marketplace.domain.exchange.consent_texts import PublishText, check_text
from marketplace.persistence.database import Database
from marketplace.persistence.exchange import consent_texts as rows
from marketplace.services.acting import Act, once, record


async def publish(database: Database, act: Act, command: PublishText) -> int:
    """Put a new wording in; its key. Raises InvalidInput, or Conflict (TAKEN)."""
    async with once(database, act, "consentTextPublish") as turn:
        if turn.replay is not None:
            return int(str(turn.replay["text"]))
        now = database.now()
        check_text(command, now)
        values = {
            "version": command.version.strip(),
            "purpose": command.purpose,
            "recipient_class": command.recipient_class,
            "text_zh": command.text_zh.strip(),
            "text_en": command.text_en.strip(),
            "valid_from": command.valid_from or now,
            "published_by": act.viewer.account_id,
            "published_at": now,
        }
        key = await rows.add(turn.db, values)
        told = {"version": values["version"]}
        await record(turn, database, "consent_text.published", "ConsentText", key, **told)
        turn.outcome = {"text": key}
        return key


async def end(database: Database, act: Act, text_id: int) -> int:
    """Let nobody agree to a wording any more; consents that stand stand. Raises Conflict."""
    async with once(database, act, "consentTextEnd") as turn:
        if turn.replay is not None:
            return int(str(turn.replay["text"]))
        if not await rows.exists(turn.db, text_id):
            raise NotFound
        if not await rows.end(turn.db, text_id, now=database.now()):
            raise Conflict.of("id", "This wording is out of use already.", "该授权文本已停止使用。")
        await record(turn, database, "consent_text.ended", "ConsentText", text_id)
        turn.outcome = {"text": text_id}
        return text_id
