"""Accounts and their keys: made, issued, revoked and disabled by the operator."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from marketplace.domain.checks import fault
from marketplace.domain.errors import Conflict, InvalidInput, NotFound
from marketplace.domain.registry.accounts import CreateAccount, check_account, new_key
from marketplace.persistence.database import Database
from marketplace.persistence.registry import accounts
from marketplace.services.acting import Act, once, record


@dataclass(frozen=True, slots=True, kw_only=True)
class IssuedKey:
    """`key` is shown now and never again; what is kept of it cannot be turned back."""

    key_id: int
    key: str = field(repr=False)
    prefix: str


async def create(database: Database, act: Act, command: CreateAccount) -> int:
    """Make an account; its key in the database. Raises InvalidInput where scope and role differ."""
    async with once(database, act, "accountCreate") as turn:
        if turn.replay is not None:
            return int(str(turn.replay["account"]))
        check_account(command)
        if missing := await accounts.missing_scope(turn.db, command):
            raise InvalidInput(
                *(
                    fault(name, "NOT_FOUND", "There is no such entry.", "没有此项。")
                    for name in missing
                )
            )
        account_id = await accounts.add(turn.db, command, database.now())
        await record(turn, database, "account.created", "Account", account_id, role=command.role)
        turn.outcome = {"account": account_id}
        return account_id


async def issue_key(
    database: Database, act: Act, account_id: int, *, expires_at: datetime | None = None
) -> IssuedKey:
    """A new key for an account. It is never replayed: asking again makes another one.

    Raises NotFound, Conflict for a disabled account, InvalidInput for an end that has passed.
    """
    now = database.now()
    async with once(database, act, "keyIssue") as turn:
        if turn.replay is not None:
            raise Conflict.of(
                "idempotencyKey",
                "This key was issued before and is shown only once. Revoke it and issue another.",
                "该密钥此前已签发，仅显示一次；如已遗失，请吊销后重新签发。",
                code="ALREADY_ISSUED",
            )
        account = await accounts.lock(turn.db, account_id)
        if account is None:
            raise NotFound
        if account["disabled_at"] is not None:
            raise Conflict.of("account_id", "The account is disabled.", "该账号已停用。")
        if expires_at is not None and expires_at <= now:
            raise InvalidInput.of(
                "expires_at", "The end must lie in the future.", "失效时间须晚于当前时间。"
            )
        made = new_key()
        key_id = await accounts.add_key(turn.db, account_id, made, now=now, expires_at=expires_at)
        await record(
            turn, database, "key.issued", "Account", account_id, prefix=made.prefix, key=key_id
        )
        turn.outcome = {"key": key_id}
    return IssuedKey(key_id=key_id, key=made.key, prefix=made.prefix)


async def revoke_key(database: Database, act: Act, key_id: int) -> None:
    """End a key at once. Raises NotFound where no such key stands."""
    async with once(database, act, "keyRevoke") as turn:
        if turn.replay is not None:
            return
        account_id = await accounts.revoke_key(turn.db, key_id, database.now())
        if account_id is None:
            raise NotFound
        await record(turn, database, "key.revoked", "Account", account_id, key=key_id)


async def disable(database: Database, act: Act, account_id: int) -> None:
    """End an account with all its keys; what it did stays under its name. Raises NotFound."""
    async with once(database, act, "accountDisable") as turn:
        if turn.replay is not None:
            return
        if await accounts.lock(turn.db, account_id) is None:
            raise NotFound
        await accounts.disable(turn.db, account_id, database.now())
        await record(turn, database, "account.disabled", "Account", account_id)
