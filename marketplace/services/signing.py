"""Standard Webhooks: secrets, and the headers by which a receiver knows that a request is ours."""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
from collections.abc import Sequence
from datetime import datetime

from marketplace.settings import SECRET_PREFIX

SECRET_BYTES = 32


def new_secret() -> str:
    """A secret as the receiver keeps it: whsec_ and base64."""
    return SECRET_PREFIX + base64.b64encode(os.urandom(SECRET_BYTES)).decode()


def signed_headers(
    secrets: Sequence[str], *, message_key: str, now: datetime, body: bytes
) -> dict[str, str]:
    """The three headers, with a signature for each secret: while one is rotated there are two.

    message_key    the same at every attempt, so that a receiver can tell a repetition
    """
    timestamp = str(int(now.timestamp()))
    said = b".".join((message_key.encode(), timestamp.encode(), body))
    return {
        "webhook-id": message_key,
        "webhook-timestamp": timestamp,
        "webhook-signature": " ".join(f"v1,{_signature(secret, said)}" for secret in secrets),
    }


def _signature(secret: str, said: bytes) -> str:
    key = base64.b64decode(secret.removeprefix(SECRET_PREFIX))
    return base64.b64encode(hmac.new(key, said, hashlib.sha256).digest()).decode()
