"""Sealing personal data: AES-256-GCM as text, bound to its place, and blind indexes to find it."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import os
import secrets
from collections.abc import Mapping
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from marketplace.domain.registry.identity import compact
from marketplace.settings import Settings, SettingsError

KEY_BYTES = 32
NONCE_BYTES = 12
BLOCK_BYTES = 16  # lengths are rounded up, so that a ciphertext does not tell 李四 from 欧阳娜娜
HOW_TO_MAKE_ONE = "python3 -c 'import base64,os;print(base64.b64encode(os.urandom(32)).decode())'"


class SealBroken(Exception):
    """A sealed value was edited, moved to another row or column, or its key is not here.

    A bug, a lost key or an attack; never something that a client did wrong.
    """


class Sealer:
    """Seals and opens with AES-256-GCM, and indexes with HMAC-SHA256 under a key of its own.

    keys         by id; the first one seals, all of them open
    index_key    for blind indexes
    """

    def __init__(self, keys: Mapping[str, bytes], index_key: bytes) -> None:
        if not keys:
            raise ValueError("at least one key is needed")
        for name, key in (*keys.items(), ("blind index", index_key)):
            if len(key) != KEY_BYTES:
                raise ValueError(f"key {name!r} has {len(key)} bytes, not {KEY_BYTES}")
        if index_key in keys.values():
            raise ValueError("the blind index needs a key of its own")
        self._keys = {name: AESGCM(key) for name, key in keys.items()}
        self._index_key = index_key
        self.key_id = next(iter(keys))

    def seal(self, text: str, *, place: str, seal_id: str) -> str:
        """Text as "key id:base64"; the same text sealed twice looks different.

        place     table and column, such as "members.name"
        seal_id   the row's own random id: what is copied to another row does not open there
        """
        nonce = os.urandom(NONCE_BYTES)
        bound = _bound(self.key_id, place, seal_id)
        sealed = self._keys[self.key_id].encrypt(nonce, _padded(text.encode()), bound)
        return f"{self.key_id}:{base64.b64encode(nonce + sealed).decode()}"

    def open(self, sealed: str, *, place: str, seal_id: str) -> str:
        """The text again. Raises SealBroken, without a word of the content."""
        key_id, separator, body = sealed.partition(":")
        key = self._keys.get(key_id)
        if not separator or key is None:
            raise SealBroken(f"{place}: sealed under key {key_id[:40]!r}, which is not configured")
        try:
            raw = base64.b64decode(body, validate=True)
            plain = key.decrypt(
                raw[:NONCE_BYTES], raw[NONCE_BYTES:], _bound(key_id, place, seal_id)
            )
        except (InvalidTag, binascii.Error, ValueError):
            raise SealBroken(f"{place}: does not open in row {seal_id}") from None
        return _unpadded(plain).decode()

    def is_current(self, sealed: str) -> bool:
        """Whether it is sealed under the key that seals now."""
        return sealed.startswith(f"{self.key_id}:")

    def reseal(self, sealed: str, *, place: str, seal_id: str) -> str:
        """The same content under the key that seals now."""
        return self.seal(
            self.open(sealed, place=place, seal_id=seal_id), place=place, seal_id=seal_id
        )

    def blind_index(self, text: str, *, place: str) -> str:
        """Equal for equal numbers, however they are typed; says nothing else without the key."""
        message = f"{place}\0{compact(text)}".encode()
        return hmac.new(self._index_key, message, hashlib.sha256).hexdigest()


def new_seal_id() -> str:
    """A random id for a row that holds sealed values."""
    return secrets.token_hex(16)


def sealer_from(settings: Settings) -> Sealer:
    """The sealer of these settings.

    In development, where no keys are set, they are made once and kept in the data folder, readable
    by the user alone. Raises SettingsError in production without keys, and for keys of no use.
    """
    if settings.encryption_keys and settings.blind_index_key:
        return _from_texts(settings.encryption_keys, settings.blind_index_key, "AIDLOOP_")
    if settings.encryption_keys or settings.blind_index_key:
        raise SettingsError(
            "Set AIDLOOP_ENCRYPTION_KEYS and AIDLOOP_BLIND_INDEX_KEY together, or neither."
        )
    if settings.profile == "production":
        raise SettingsError(
            "In production personal data needs keys: set AIDLOOP_ENCRYPTION_KEYS (id:base64) and "
            f"AIDLOOP_BLIND_INDEX_KEY (base64), 32 random bytes each. To make one: "
            f"{HOW_TO_MAKE_ONE}"
        )
    path = settings.data_dir / "keys" / "seal.json"
    kept = _kept_keys(path)
    return _from_texts(kept["encryption_keys"], kept["blind_index_key"], f"{path}: ")


def _kept_keys(path: Path) -> dict[str, str]:
    """The keys in the file, which is made if it is not there; whoever comes second reads them."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        made = {
            "encryption_keys": f"dev1:{base64.b64encode(os.urandom(KEY_BYTES)).decode()}",
            "blind_index_key": base64.b64encode(os.urandom(KEY_BYTES)).decode(),
        }
        draft = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            json.dump(made, file)
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(draft, path)  # fails where another process was first: its keys stand
        except FileExistsError:
            pass
        finally:
            draft.unlink()
    try:
        kept = json.loads(path.read_text())
        return {name: str(kept[name]) for name in ("encryption_keys", "blind_index_key")}
    except (OSError, ValueError, KeyError, TypeError):
        raise SettingsError(
            f"{path} holds the keys of the personal data and cannot be read. Restore it from a "
            "backup; without it what is sealed stays sealed."
        ) from None


def _from_texts(encryption_keys: str, blind_index_key: str, whence: str) -> Sealer:
    keys: dict[str, bytes] = {}
    for part in encryption_keys.split(","):
        name, separator, text = part.strip().partition(":")
        if not separator or not name.isalnum() or name in keys:
            raise SettingsError(
                f"{whence}ENCRYPTION_KEYS must read id:base64,id:base64 with different ids "
                "of letters and digits."
            )
        keys[name] = _key(text, f"{whence}ENCRYPTION_KEYS, key {name}")
    try:
        return Sealer(keys, _key(blind_index_key, f"{whence}BLIND_INDEX_KEY"))
    except ValueError as refused:
        raise SettingsError(f"{whence}BLIND_INDEX_KEY: {refused}.") from None


def _key(text: str, what: str) -> bytes:
    try:
        key = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if len(key) != KEY_BYTES:
        raise SettingsError(
            f"{what} must be {KEY_BYTES} bytes in base64. To make one: {HOW_TO_MAKE_ONE}"
        )
    return key


def _bound(key_id: str, place: str, seal_id: str) -> bytes:
    return "\0".join((key_id, place, seal_id)).encode()


def _padded(plain: bytes) -> bytes:
    return plain + b"\x80" + bytes(-(len(plain) + 1) % BLOCK_BYTES)


def _unpadded(plain: bytes) -> bytes:
    return plain.rstrip(b"\0")[:-1]
