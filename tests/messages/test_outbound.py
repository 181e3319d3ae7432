"""Posting to somebody else's server: where it may not go, and what comes of bad answers."""

from __future__ import annotations

import socket

import pytest

from marketplace.services.outbound import Unreachable, is_public, post, target_of
from tests.messages.receiver import Receiver


async def word(url: str, **how: object) -> str:
    with pytest.raises(Unreachable) as gone:
        await post(url, b"{}", {}, private_allowed=False, **how)  # type: ignore[arg-type]
    return gone.value.word


@pytest.mark.parametrize(
    "address",
    [
        *("127.0.0.1", "127.8.8.8", "0.0.0.0", "10.1.2.3", "172.16.0.1", "192.168.1.1"),
        *("169.254.169.254", "100.64.0.1", "224.0.0.251", "255.255.255.255", "192.0.2.1"),
        *("::1", "::", "fe80::1", "fc00::1", "ff02::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1"),
        *("64:ff9b::7f00:1", "2002:7f00:1::", "2001:0:1::1", "2001:db8::1", "::127.0.0.1"),
    ],
)
def test_an_address_that_is_not_of_the_open_internet_is_not_called(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("address", ["8.8.8.8", "114.114.114.114", "2400:3200::1"])
def test_an_address_of_the_open_internet_may_be_called(address: str) -> None:
    assert is_public(address)


async def test_a_private_target_is_refused_however_it_is_spelled_and_hears_nothing(
    receiver: Receiver,
) -> None:
    port = receiver.url.rpartition(":")[2]

    for host in ("127.0.0.1", "localhost", "[::ffff:127.0.0.1]", "2130706433", "0x7f.1"):
        assert await word(f"http://{host}:{port}/") == "PRIVATE_TARGET", host
    assert await word("https://no-such-host.invalid/") == "NO_ADDRESS"
    assert receiver.got == []


@pytest.mark.parametrize(
    "url",
    [
        *("ftp://example.org/", "example.org", "https://", "https://user:word@example.org/"),
        *("https://example.org:99999/", "https://exam ple.org/", "https://例子.cn/"),
        "https://example.org/\r\nX-Injected: 1",
    ],
)
def test_what_is_no_plain_http_address_is_refused(url: str) -> None:
    with pytest.raises(Unreachable, match="INVALID_URL"):
        target_of(url)


async def test_answers_that_are_none_are_told_by_a_word(receiver: Receiver) -> None:
    async def said() -> int | str:
        try:
            return await post(f"{receiver.url}/a?b=c", b"{}", {"X-One": "1"}, private_allowed=True)
        except Unreachable as gone:
            return gone.word

    receiver.answers = [
        b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\nHTTP/1.1 200 OK\r\n\r\n",
        b"HTTP/1.1 103 x\r\n\r\n" * 9,
        b"",
        b"x" * 100_000,
        b"HTTP/1.1 abc\r\n",
        500,
    ]

    assert [await said() for _ in range(6)] == [200, *["NO_ANSWER"] * 4, 500]
    assert receiver.got[0].path == "/a?b=c"
    assert receiver.got[0].headers["x-one"] == "1"
    assert receiver.got[0].headers["host"] == receiver.url.removeprefix("http://")


async def test_a_server_that_keeps_silent_is_left_in_time(receiver: Receiver) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/"
        with pytest.raises(Unreachable, match="TIMEOUT"):
            await post(url, b"{}", {}, private_allowed=True, within_s=0.05)
        with pytest.raises(Unreachable, match=r"TLS|NO_ANSWER|NO_CONNECTION"):
            await post(
                receiver.url.replace("http", "https"), b"{}", {}, private_allowed=True, within_s=5
            )
    with pytest.raises(Unreachable, match="NO_CONNECTION"):
        await post(url, b"{}", {}, private_allowed=True)
