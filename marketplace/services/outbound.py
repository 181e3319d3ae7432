"""One POST to somebody else's server: no redirects, no private addresses, and only so long.

The name is resolved once, its addresses are checked, and the connection goes to the address that
was checked: a name that answers otherwise the second time leads nowhere.
"""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import socket
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import SplitResult, urlsplit

WITHIN_S = 15.0
LINE_MAX = 8_192  # of a status line or header
INTERIM_MAX = 5  # answers such as 103 before the one that counts

IPAddress = ipaddress.IPv4Address | ipaddress.IPv6Address
NAT64 = ipaddress.ip_network("64:ff9b::/96")
# They hold an IPv4 address that a gateway would go on to.
TUNNELS = (NAT64, ipaddress.ip_network("2002::/16"), ipaddress.ip_network("2001::/32"))


class Unreachable(Exception):
    """Nothing was delivered, as far as we know; `word` says why, without the other side's words.

    INVALID_URL, NO_ADDRESS, PRIVATE_TARGET, NO_CONNECTION, TLS, TIMEOUT, NO_ANSWER
    """

    def __init__(self, word: str) -> None:
        super().__init__(word)
        self.word = word


@dataclass(frozen=True, slots=True)
class Target:
    """A URL taken apart."""

    host: str
    port: int
    path: str
    is_tls: bool

    @property
    def host_header(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == (443 if self.is_tls else 80) else f"{host}:{self.port}"


def target_of(url: str) -> Target:
    """Raises Unreachable for what is no http or https URL, or carries a name and password."""
    if not url.isascii() or not url.isprintable() or " " in url:
        raise Unreachable("INVALID_URL")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise Unreachable("INVALID_URL") from None
    if parts.scheme not in ("http", "https") or not parts.hostname or "@" in parts.netloc:
        raise Unreachable("INVALID_URL")
    is_tls = parts.scheme == "https"
    return Target(parts.hostname, port or (443 if is_tls else 80), _path(parts), is_tls)


def is_public(address: str) -> bool:
    """Whether an address is one of the open internet.

    >>> [is_public(a) for a in ("8.8.8.8", "10.0.0.1", "127.0.0.1", "169.254.169.254", "::1")]
    [True, False, False, False, False]
    >>> [is_public(a) for a in ("::ffff:10.0.0.1", "64:ff9b::a00:1", "224.0.0.1", "fe80::1%eth0")]
    [False, False, False, False]
    """
    ip: IPAddress = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(ip, ipaddress.IPv6Address):
        if ip.ipv4_mapped is not None:
            ip = ip.ipv4_mapped
        elif any(ip in tunnel for tunnel in TUNNELS):
            return False
    return ip.is_global and not ip.is_multicast and not ip.is_reserved


def is_literal_private(host: str) -> bool:
    """Whether a host is written as an address that is not public; a name is told by its use."""
    try:
        return not is_public(host)
    except ValueError:
        return False


async def post(
    url: str,
    body: bytes,
    headers: Mapping[str, str],
    *,
    private_allowed: bool,
    within_s: float = WITHIN_S,
) -> int:
    """POST JSON; the status that was answered. Raises Unreachable."""
    target = target_of(url)
    try:
        async with asyncio.timeout(within_s):
            address = await _address(target, private_allowed)
            return await _posted(target, address, body, headers)
    except TimeoutError:
        raise Unreachable("TIMEOUT") from None
    except ssl.SSLError:
        raise Unreachable("TLS") from None
    except (OSError, ValueError, EOFError):  # also a line that is too long, or cut off
        raise Unreachable("NO_ANSWER") from None


async def _address(target: Target, private_allowed: bool) -> str:
    """The first address of a host that may be spoken to."""
    try:
        found = await asyncio.get_running_loop().getaddrinfo(
            target.host, target.port, type=socket.SOCK_STREAM
        )
    except (OSError, UnicodeError):
        raise Unreachable("NO_ADDRESS") from None
    for *_, place in found:
        address = str(place[0])
        if private_allowed or is_public(address):
            return address
    raise Unreachable("PRIVATE_TARGET" if found else "NO_ADDRESS")


async def _posted(target: Target, address: str, body: bytes, headers: Mapping[str, str]) -> int:
    try:
        reader, writer = await asyncio.open_connection(
            address,
            target.port,
            ssl=_tls() if target.is_tls else None,
            server_hostname=target.host if target.is_tls else None,
            limit=LINE_MAX,
        )
    except ssl.SSLError:
        raise
    except OSError:
        raise Unreachable("NO_CONNECTION") from None
    try:
        writer.write(_request(target, body, headers) + body)
        await writer.drain()
        return await _status(reader)
    finally:
        # Cut, not closed: the other side may never say goodbye.
        writer.transport.abort()
        with contextlib.suppress(OSError):
            await writer.wait_closed()


def _request(target: Target, body: bytes, headers: Mapping[str, str]) -> bytes:
    said = {
        "Host": target.host_header,
        "User-Agent": "Aidloop",
        "Content-Type": "application/json; charset=utf-8",
        "Content-Length": str(len(body)),
        "Accept": "*/*",
        "Connection": "close",
    } | dict(headers)
    lines = [f"POST {target.path} HTTP/1.1", *(f"{name}: {value}" for name, value in said.items())]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


async def _status(reader: asyncio.StreamReader) -> int:
    """The status of the answer that counts; its headers and body are nobody's business."""
    for _ in range(INTERIM_MAX):
        version, _, rest = (await reader.readline()).partition(b" ")
        if not version.startswith(b"HTTP/1.") or not rest[:3].isdigit():
            break
        status = int(rest[:3])
        if status >= 200:
            return status
        while await reader.readline() not in (b"\r\n", b"\n", b""):
            pass
    raise Unreachable("NO_ANSWER")


def _path(parts: SplitResult) -> str:
    path = parts.path or "/"
    return f"{path}?{parts.query}" if parts.query else path


@lru_cache(maxsize=1)
def _tls() -> ssl.SSLContext:
    return ssl.create_default_context()
