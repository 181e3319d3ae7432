"""The context of one operation: who asks, in which language, and what it may reach."""

from __future__ import annotations

import hashlib
import re
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import sqlalchemy as sa

from marketplace.domain.errors import Language, Unauthenticated
from marketplace.domain.permissions import Role, Viewer
from marketplace.persistence.database import Database, Row
from marketplace.persistence.tables.house import accounts, api_keys
from marketplace.persistence.tables.registry import regions
from marketplace.settings import Settings
from schema.once import Once

KEY_LENGTH_MAX = 512
_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{8,64}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """Made anew for every operation, also for each operation on one websocket."""

    viewer: Viewer
    database: Database
    settings: Settings
    request_id: str
    idempotency_key: str | None = None
    language: Language = "zh-CN"
    key_digest: str | None = field(default=None, repr=False)  # None: no key was given
    address: str = field(default="", repr=False)  # where the caller's packets come from
    by_get: bool = False  # a GET writes nothing, not even that something was read
    once: Once = field(default_factory=Once, repr=False, compare=False)

    @property
    def caller(self) -> str:
        """Whose budget an operation is charged to."""
        account_id = self.viewer.account_id
        return self.address if account_id is None else f"account {account_id}"

    async def renewed(self) -> Context:
        """This context with the viewer as the database knows it now.

        For subscriptions, before every event. Raises Unauthenticated once the key has ended.
        """
        viewer = await viewer_of(self.database, self.key_digest, self.language)
        return replace(self, viewer=viewer, once=Once())


class Connection:
    """A websocket: what its operations' contexts are made from."""

    def __init__(
        self,
        headers: Mapping[str, str],
        database: Database,
        settings: Settings,
        *,
        address: str = "",
    ) -> None:
        self.headers = headers
        self.address = address
        self.database = database
        self.settings = settings
        self.connection_params: Mapping[str, object] = {}  # set from connection_init

    @property
    def language(self) -> Language:
        return language_of(self._said("Accept-Language", "accept-language"), self.settings.language)

    async def operation(self) -> Context:
        """The context of one operation. Raises Unauthenticated where the key is none (any more)."""
        return await context_of(
            self.database,
            self.settings,
            authorization=self._said("Authorization", "authorization"),
            language=self.language,
            address=self.address,
        )

    def _said(self, *names: str) -> str | None:
        """From connection_init, since browsers cannot set headers; else from the handshake."""
        for name in names:
            value = self.connection_params.get(name)
            if isinstance(value, str):
                return value
        return self.headers.get(names[-1])


async def context_of(
    database: Database,
    settings: Settings,
    *,
    authorization: str | None,
    language: Language,
    request_id: str | None = None,
    idempotency_key: str | None = None,
    address: str = "",
    by_get: bool = False,
) -> Context:
    """The context of one operation. Raises Unauthenticated for a key that does not stand."""
    digest = digest_of_key(authorization)
    return Context(
        viewer=await viewer_of(database, digest, language),
        database=database,
        settings=settings,
        request_id=request_id or new_request_id(),
        idempotency_key=idempotency_key,
        language=language,
        key_digest=digest,
        address=address,
        by_get=by_get,
    )


async def viewer_of(database: Database, key_digest: str | None, language: Language) -> Viewer:
    """Who is behind a key, in one SQL statement; no key is the public.

    Raises Unauthenticated for a key that is unknown, expired or revoked, or whose account is
    disabled; the four look the same from outside.
    """
    if key_digest is None:
        return Viewer(language=language)
    async with database.read() as db:
        row = await db.row(_ACCOUNT_OF_KEY, {"digest": key_digest})
    if row is None or not _stands(row, database):
        raise Unauthenticated
    return Viewer(
        role=Role(row["role"]),
        account_id=row["account_id"],
        organization_id=row["organization_id"],
        region_id=row["region_id"],
        region_low=0 if row["tree_low"] is None else row["tree_low"],
        region_high=-1 if row["tree_high"] is None else row["tree_high"],
        language=language,
    )


def digest_of_key(authorization: str | None) -> str | None:
    """SHA-256 of the key in an Authorization value; None where there is none.

    Raises Unauthenticated where something else than one bearer key was sent.
    """
    if authorization is None or not authorization.strip():
        return None
    scheme, _, key = authorization.strip().partition(" ")
    key = key.strip()
    if scheme.lower() != "bearer" or not key or len(key) > KEY_LENGTH_MAX or " " in key:
        raise Unauthenticated
    return hashlib.sha256(key.encode()).hexdigest()


def language_of(accept_language: str | None, otherwise: Language) -> Language:
    """The language of the house that an Accept-Language header likes best.

    >>> language_of("fr, zh-TW;q=0.8, en;q=0.9", "zh-CN")
    'en'
    """
    best: tuple[float, Language] = (0.0, otherwise)
    for part in (accept_language or "")[:1000].split(","):
        tag, _, parameters = part.strip().lower().partition(";")
        spoken: Mapping[str, Language] = {"zh": "zh-CN", "en": "en", "*": otherwise}
        language = spoken.get(tag.partition("-")[0])
        weight = _weight(parameters)
        if language is not None and weight > best[0]:
            best = (weight, language)
    return best[1]


def new_request_id() -> str:
    return uuid.uuid4().hex


def given_request_id(header: str | None) -> str | None:
    """A caller's own request id, where it is harmless enough for a log line."""
    return header if header is not None and _REQUEST_ID.fullmatch(header) else None


def _weight(parameters: str) -> float:
    name, _, value = parameters.replace(" ", "").partition("=")
    if name != "q":
        return 1.0
    try:
        return min(1.0, max(0.0, float(value)))
    except ValueError:
        return 0.0


def _stands(row: Row, database: Database) -> bool:
    expires_at = row["expires_at"]
    return (
        row["revoked_at"] is None
        and row["disabled_at"] is None
        and (expires_at is None or expires_at > database.now())
    )


_ACCOUNT_OF_KEY = (
    sa.select(
        accounts.c.id.label("account_id"),
        accounts.c.role,
        accounts.c.organization_id,
        accounts.c.region_id,
        accounts.c.disabled_at,
        api_keys.c.expires_at,
        api_keys.c.revoked_at,
        regions.c.tree_low,
        regions.c.tree_high,
    )
    .select_from(
        api_keys.join(accounts, api_keys.c.account_id == accounts.c.id).outerjoin(
            regions, accounts.c.region_id == regions.c.id
        )
    )
    .where(api_keys.c.digest == sa.bindparam("digest"))
)
