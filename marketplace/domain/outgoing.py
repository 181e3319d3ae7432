"""Moves of what is sent: a person may have it tried again once it was given up."""

from __future__ import annotations

from collections.abc import Mapping

from marketplace.domain.messages import MessageStatus, WebhookDeliveryStatus
from marketplace.domain.moves import Move

MESSAGE_MOVES: Mapping[str, Move[MessageStatus]] = {
    "outgoingMessageRetry": Move(
        before=frozenset({MessageStatus.FAILED}), after=MessageStatus.QUEUED
    ),
}
DELIVERY_MOVES: Mapping[str, Move[WebhookDeliveryStatus]] = {
    "webhookDeliveryRetry": Move(
        before=frozenset({WebhookDeliveryStatus.DEAD}), after=WebhookDeliveryStatus.QUEUED
    ),
}
