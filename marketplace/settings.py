"""What can be set from outside, read once from environment variables AIDLOOP_… ."""

from __future__ import annotations

import base64
import binascii
import os
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from importlib.util import find_spec
from pathlib import Path
from typing import Literal, Self, get_args

Profile = Literal["development", "production"]
PROFILES: tuple[str, ...] = get_args(Profile)
MessageChannel = Literal["console", "webhook"]
MESSAGE_CHANNELS: tuple[str, ...] = get_args(MessageChannel)
SECRET_PREFIX = "whsec_"  # noqa: S105  # how a secret begins, not one


class SettingsError(Exception):
    """A setting has a value that cannot be used; the message names the variable and what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Every setting with its default; `Settings.from_env()` reads AIDLOOP_<NAME IN CAPITALS>."""

    data_dir: Path = Path("var")
    database_url: str = ""  # empty: SQLite in data_dir
    profile: Profile = "development"
    host: str = "127.0.0.1"
    port: int = 8000
    public_url: str = ""  # where people reach the server; empty: http://host:port
    trusted_proxies: tuple[str, ...] = ()  # whose X-Forwarded-For is believed
    worker_in_server: bool = True  # the embedded default runs the job worker in the server
    solver_processes: int = 1
    dask_address: str = ""  # a Dask scheduler, such as tcp://10.0.0.5:8786; empty: this machine
    dask_pairs_min: int = 400_000  # plans with fewer pairs are solved on this machine
    dask_connect_s: int = 10  # how long a plan waits for the scheduler, and for a first worker
    job_lease_s: int = 15
    plan_deadline_s: int = 600
    plan_self_approval: bool = False  # may whoever ran a plan approve it?
    reservation_days: int = 7  # how long an approved plan holds things for a provider's answer
    pledge_hours: int = 48  # how long a pledge holds things until its provider accepts it
    body_bytes_max: int = 1_048_576
    body_deadline_s: int = 10
    query_tokens_max: int = 2_000
    query_depth_max: int = 12
    query_aliases_max: int = 30
    query_directives_max: int = 50
    query_cost_max: int = 20_000
    budget_points: int = 2_000_000  # what one caller may spend at once, in points of cost
    budget_points_per_s: int = 100_000  # how fast that comes back
    operation_timeout_s: int = 30
    cors_origins: tuple[str, ...] = ()
    subscriptions_per_connection_max: int = 100
    encryption_keys: str = field(
        default="", repr=False
    )  # id:base64,id:base64; the first one writes
    blind_index_key: str = field(default="", repr=False)  # base64, apart from the encryption keys
    language: Literal["en", "zh-CN"] = "zh-CN"  # when a client names none
    message_channel: MessageChannel = "console"  # how codes and messages reach households
    message_webhook_url: str = ""  # an SMS gateway: it is sent {"data": {"to": …, "text": …}}
    message_webhook_secret: str = field(default="", repr=False)  # whsec_…, signs what is sent there
    webhook_private_targets: bool = False  # may webhooks go to private addresses, and by http?

    def __post_init__(self) -> None:
        if self.profile not in PROFILES:
            raise SettingsError(f"AIDLOOP_PROFILE must be one of {', '.join(PROFILES)}.")
        if self.language not in ("en", "zh-CN"):
            raise SettingsError("AIDLOOP_LANGUAGE must be en or zh-CN.")
        _check_messages(self)
        if self.dask_address and find_spec("distributed") is None:
            raise SettingsError(
                "AIDLOOP_DASK_ADDRESS names a Dask scheduler, but Dask is not installed: "
                "pip install 'aidloop[dask]'"
            )
        if self.public_url and not self.public_url.startswith(("https://", "http://")):
            raise SettingsError("AIDLOOP_PUBLIC_URL must begin with https:// or http://.")
        if self.port > 65_535:
            raise SettingsError(f"AIDLOOP_PORT must be at most 65535, not {self.port}.")
        for item in fields(self):
            value = getattr(self, item.name)
            if type(value) is int and value <= 0:
                raise SettingsError(f"AIDLOOP_{item.name.upper()} must be above zero, not {value}.")

    @property
    def url(self) -> str:
        """The database as SQLAlchemy knows it, with the async driver of the house."""
        if not self.database_url:
            return f"sqlite+aiosqlite:///{self.data_dir.resolve() / 'aidloop.db'}"
        scheme, separator, rest = self.database_url.partition("://")
        drivers = {
            "postgres": "postgresql+psycopg",
            "postgresql": "postgresql+psycopg",
            "postgresql+psycopg": "postgresql+psycopg",
            "sqlite": "sqlite+aiosqlite",
            "sqlite+aiosqlite": "sqlite+aiosqlite",
        }
        if not separator or scheme not in drivers:
            raise SettingsError(
                f"AIDLOOP_DATABASE_URL must begin with postgresql:// or sqlite://, not {scheme!r}."
            )
        if scheme.startswith("postgres") and find_spec("psycopg") is None:
            raise SettingsError(
                "AIDLOOP_DATABASE_URL names PostgreSQL, whose driver is not installed: "
                "pip install 'aidloop[postgres]'"
            )
        return f"{drivers[scheme]}://{rest}"

    @classmethod
    def from_env(cls, environ: Mapping[str, str] | None = None) -> Self:
        """Read AIDLOOP_… variables. Raises SettingsError naming the one that cannot be used."""
        environ = os.environ if environ is None else environ
        known = {f"AIDLOOP_{item.name.upper()}": item for item in fields(cls)}
        unknown = sorted(k for k in environ if k.startswith("AIDLOOP_") and k not in known)
        if unknown:
            # A misspelt name would leave a default in force that the operator thinks gone.
            raise SettingsError(
                f"{', '.join(unknown)}: no such setting. Known: {', '.join(known)}."
            )
        given: dict[str, object] = {}
        for name, item in known.items():
            if name in environ:
                given[item.name] = _parsed(name, environ[name], item.default)
        return cls(**given)  # type: ignore[arg-type]  # each value was parsed by its default's type


def _check_messages(settings: Settings) -> None:
    if settings.message_channel not in MESSAGE_CHANNELS:
        raise SettingsError(
            f"AIDLOOP_MESSAGE_CHANNEL must be one of {', '.join(MESSAGE_CHANNELS)}."
        )
    if settings.message_channel != "webhook":
        return
    if not settings.message_webhook_url.startswith(("http://", "https://")):
        raise SettingsError(
            "AIDLOOP_MESSAGE_CHANNEL=webhook needs AIDLOOP_MESSAGE_WEBHOOK_URL, "
            "such as https://sms.example.cn/send."
        )
    if not is_secret(settings.message_webhook_secret):
        raise SettingsError(
            "AIDLOOP_MESSAGE_CHANNEL=webhook needs AIDLOOP_MESSAGE_WEBHOOK_SECRET: whsec_ and 24 "
            "to 64 random bytes in base64."
        )


def is_secret(text: str) -> bool:
    """Whether it is a secret as Standard Webhooks write it: whsec_ and base64.

    >>> is_secret("whsec_" + "A" * 32), is_secret("whsec_short"), is_secret("")
    (True, False, False)
    """
    if not text.startswith(SECRET_PREFIX):
        return False
    try:
        key = base64.b64decode(text.removeprefix(SECRET_PREFIX), validate=True)
    except binascii.Error:
        return False
    return 24 <= len(key) <= 64


def _parsed(name: str, text: str, default: object) -> object:
    if isinstance(default, bool):
        if text.lower() not in ("1", "0", "true", "false", "yes", "no", "on", "off"):
            raise SettingsError(f"{name} must be true or false, not {text!r}.")
        return text.lower() in ("1", "true", "yes", "on")
    if isinstance(default, int):
        try:
            return int(text)
        except ValueError:
            raise SettingsError(f"{name} must be a whole number, not {text!r}.") from None
    if isinstance(default, Path):
        return Path(text)
    if isinstance(default, tuple):
        return tuple(part.strip() for part in text.split(",") if part.strip())
    return text
