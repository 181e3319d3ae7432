"""A check-up: settings, database, tables, keys, jobs and invariants, each with what to do."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa

from marketplace.domain.errors import Text
from marketplace.domain.jobs import JobStatus
from marketplace.persistence import messages, migrations, webhooks
from marketplace.persistence.database import Database
from marketplace.persistence.exchange import invariants, invariants_aid
from marketplace.persistence.oversight import invariants as of_cases
from marketplace.persistence.tables import jobs
from marketplace.services.registry import sealing
from marketplace.settings import Settings, SettingsError


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at; where it is not healthy, `remedy` says what to do."""

    healthy: bool
    text: Text
    remedy: Text | None = None


async def examine(settings: Settings) -> list[Finding]:
    """Look at everything, in the order in which it must work; what failed ends what needs it."""
    found = [_folder(settings.data_dir)]
    tables = await asyncio.to_thread(_tables, settings)
    found.append(tables)
    if not tables.healthy:
        return found
    database = Database(settings.url)
    try:
        steps: tuple[Callable[[Database, Settings], Awaitable[Finding]], ...] = (
            _writable,
            _sound,
            _keys,
            _jobs,
            _told,
        )
        found += [await step(database, settings) for step in steps]
        found += [finding async for finding in _invariants(database)]
    finally:
        await database.close()
    return found


def _folder(folder: Path) -> Finding:
    at = folder if folder.exists() else folder.absolute().parent
    if os.access(at, os.W_OK):
        return Finding(
            True, Text(f"The data folder {folder} can be written.", f"数据目录 {folder} 可写。")
        )
    return Finding(
        False,
        Text(f"The data folder {folder} cannot be written.", f"数据目录 {folder} 不可写。"),
        Text(
            "Give this user the right to write there, or set AIDLOOP_DATA_DIR.",
            "请授予当前用户写权限，或设置 AIDLOOP_DATA_DIR。",
        ),
    )


def _tables(settings: Settings) -> Finding:
    url = migrations.url_of(settings.url)
    if url.get_backend_name() == "sqlite" and not Path(url.database or "").exists():
        return Finding(
            False,
            Text("There is no database yet.", "数据库尚未建立。"),
            Text("Run: aidloop migrate (or make demo)", "请运行：aidloop migrate（或 make demo）"),
        )
    try:
        at = migrations.current(url)
        wrong = migrations.differences(url) if at == migrations.head() else []
    except (sa.exc.SQLAlchemyError, OSError) as trouble:
        return Finding(
            False,
            Text(f"The database does not answer ({type(trouble).__name__}).", "数据库无响应。"),
            Text(
                "See that it runs, and that AIDLOOP_DATABASE_URL names host, user and password.",
                "请确认数据库正在运行，且 AIDLOOP_DATABASE_URL 中的主机、用户和密码正确。",
            ),
        )
    if at != migrations.head():
        return Finding(
            False,
            Text(
                f"The database is at {at or 'nothing'}, this version needs {migrations.head()}.",
                f"数据库版本为 {at or '空'}，当前程序需要 {migrations.head()}。",
            ),
            Text("Run: aidloop migrate", "请运行：aidloop migrate"),
        )
    if wrong:
        return Finding(
            False,
            Text(
                f"Tables differ from this version's: {wrong[0]}",
                f"表结构与当前程序不符：{wrong[0]}",
            ),
            Text(
                "Somebody changed them by hand; restore a backup, or undo the change.",
                "表结构被人为修改过，请恢复备份或撤销修改。",
            ),
        )
    return Finding(True, Text(f"Database and tables are at {at}.", f"数据库与表结构版本为 {at}。"))


async def _writable(database: Database, _: Settings) -> Finding:
    try:
        async with database.write() as db:
            await db.scalar(sa.select(sa.literal(1)))
    except sa.exc.SQLAlchemyError as trouble:
        return Finding(
            False,
            Text(f"The database cannot be written ({type(trouble).__name__}).", "数据库不可写。"),
            Text(
                "Look for a full disk, a lock held by another program, or missing rights.",
                "请检查磁盘是否已满、是否被其他程序锁定，或权限是否不足。",
            ),
        )
    return Finding(True, Text("The database takes writes.", "数据库可写。"))


async def _sound(database: Database, _: Settings) -> Finding:
    if database.dialect != "sqlite":
        return Finding(True, Text("PostgreSQL answers.", "PostgreSQL 运行正常。"))
    async with database.read() as db:
        verdict = str(await db.scalar(sa.text("PRAGMA integrity_check")))
    if verdict == "ok":
        return Finding(True, Text("The database file is sound.", "数据库文件完好。"))
    return Finding(
        False,
        Text(
            f"The database file is damaged: {verdict[:200]}", f"数据库文件已损坏：{verdict[:200]}"
        ),
        Text("Stop the server and restore the last backup.", "请停止服务并恢复最近的备份。"),
    )


async def _keys(database: Database, settings: Settings) -> Finding:
    try:
        broken = await sealing.broken(database, sealing.sealer_of(settings))
    except SettingsError as refusal:
        return Finding(False, Text(str(refusal), f"加密密钥不可用：{refusal}"))
    if not broken:
        return Finding(
            True,
            Text("Sealed data opens with the keys at hand.", "现有密钥可以解密个人信息。"),
        )
    places = ", ".join(broken)
    return Finding(
        False,
        Text(f"Sealed data does not open: {places}.", f"无法解密：{places}。"),
        Text(
            "Put back the keys that sealed it (AIDLOOP_ENCRYPTION_KEYS, or keys/ in DATA).",
            "请恢复原加密密钥（AIDLOOP_ENCRYPTION_KEYS 或数据目录下的 keys/）。",
        ),
    )


async def _jobs(database: Database, _: Settings) -> Finding:
    async with database.read() as db:
        counted = await db.rows(
            sa.select(jobs.c.status, sa.func.count().label("n")).group_by(jobs.c.status)
        )
    by_status = {row["status"]: int(row["n"]) for row in counted}
    dead, queued = by_status.get(JobStatus.DEAD, 0), by_status.get(JobStatus.QUEUED, 0)
    if dead:
        return Finding(
            False,
            Text(f"{dead} jobs failed for good.", f"有 {dead} 个任务最终失败。"),
            Text(
                "Their plans say why; find the cause in the server's log, then plan again.",
                "相关方案中说明了原因；请查看服务器日志后重新生成方案。",
            ),
        )
    return Finding(
        True,
        Text(
            f"No job failed; {queued} wait for a worker.",
            f"没有失败的任务；{queued} 个任务等待处理。",
        ),
    )


async def _told(database: Database, settings: Settings) -> Finding:
    async with database.read() as db:
        failed = await messages.count_failed(db)
        dead = await webhooks.count_dead(db)
    if failed or dead:
        return Finding(
            False,
            Text(
                f"{failed} messages to households and {dead} deliveries to webhooks were given up.",
                f"有 {failed} 条给家庭的消息、{dead} 次回调投递最终失败。",
            ),
            Text(
                "outgoingMessages and webhookDeliveries say why; then outgoingMessageRetry, "
                "webhookDeliveryRetry.",
                "原因见 outgoingMessages 与 webhookDeliveries，处理后用 outgoingMessageRetry、"
                "webhookDeliveryRetry 重发。",
            ),
        )
    if settings.profile == "production" and settings.message_channel == "console":
        return Finding(
            False,
            Text(
                "Messages to households go no further than the log.",
                "给家庭的消息只写入日志，未实际发出。",
            ),
            Text(
                "Set AIDLOOP_MESSAGE_CHANNEL=webhook with your SMS gateway (see the README).",
                "请设置 AIDLOOP_MESSAGE_CHANNEL=webhook 并填写短信网关（见 README）。",
            ),
        )
    return Finding(True, Text("No message was given up.", "没有发送失败的消息。"))


async def _invariants(database: Database) -> AsyncIterator[Finding]:
    facts = {**invariants.FACTS, **of_cases.FACTS, **invariants_aid.FACTS}
    async with database.snapshot() as db:
        broken = await invariants.broken(db, facts=facts)
    if not broken:
        yield Finding(
            True,
            Text(
                f"All {len(facts)} facts about quantities, consent, review and cases hold.",
                f"关于数量、授权、审核和诚信事项的 {len(facts)} 项约束全部成立。",
            ),
        )
    for row in broken:
        yield Finding(
            False,
            Text(
                f"{row.fact}: row {row.row_id} of {row.table} says {row.says}, "
                f"it should be {row.should}.",
                f"{row.fact}：{row.table} 第 {row.row_id} 行为 {row.says}，应为 {row.should}。",
            ),
            Text(
                "This must never happen: keep the database as it is and report it as a bug.",
                "这种情况不应发生：请保留数据库现状并报告缺陷。",
            ),
        )
