"""Callers without an account: by what of their address they are counted and charged."""

from __future__ import annotations

import ipaddress


def whence(host: str) -> str:
    """Whom to charge and count an address as: of IPv6, whose callers have 2^64 each, the network.

    >>> whence("2001:db8::1:2:3:4"), whence("::ffff:192.0.2.7"), whence("192.0.2.7"), whence("")
    ('2001:db8::/64', '192.0.2.7', '192.0.2.7', '')
    """
    try:
        address = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return host
    if isinstance(address, ipaddress.IPv4Address):
        return str(address)
    if address.ipv4_mapped is not None:
        return str(address.ipv4_mapped)
    return str(ipaddress.ip_network((int(address) >> 64 << 64, 64)))
