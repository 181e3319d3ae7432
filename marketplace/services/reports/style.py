"""The page's own files, and the policy that lets a browser use these and nothing else."""

from __future__ import annotations

import base64
import hashlib
from functools import cache
from importlib import resources


@cache
def page_policy() -> str:
    """The Content-Security-Policy of the page: its own style, images inside it, nothing else."""
    digest = base64.b64encode(hashlib.sha256(style().encode()).digest()).decode()
    return (
        f"default-src 'none'; style-src 'sha256-{digest}'; img-src data:; base-uri 'none'; "
        "form-action 'none'"
    )


def style() -> str:
    """The style sheet."""
    return read("report.css")


def read(name: str) -> str:
    """A file that is shipped with the package."""
    return resources.files("marketplace").joinpath(f"data/{name}").read_text("utf-8")
