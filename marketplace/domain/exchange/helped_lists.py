"""救助人员名单: the list of those whom the federation helped, reported to the charity desk."""

from __future__ import annotations

from enum import StrEnum


class HelpedListStatus(StrEnum):
    REPORTED = "REPORTED"
    RECEIVED = "RECEIVED"
