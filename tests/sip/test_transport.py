"""The socket: where packets may go, and reading many at once."""

import asyncio
import socket

import pytest

from outdialer.carriers.sip import transport as transport_module
from outdialer.carriers.sip.resolver import Resolver
from outdialer.carriers.sip.transport import BATCH, Address, NonLoopbackRefused, UdpTransport, is_loopback

DISGUISES = [
    "192.0.2.1", "8.8.8.8", "0.0.0.0", "255.255.255.255", "::", "2001:db8::1", "::ffff:192.0.2.1", "169.254.169.254",
    "localhost", "example.com", "2130706433", "127.1", "0x7f000001", "", "127.0.0.1 ", "224.0.0.1", "fe80::1%lo",
]  # fmt: skip


@pytest.mark.parametrize("host", DISGUISES)
async def test_nothing_leaves_the_machine(host: str) -> None:
    transport = UdpTransport(asyncio.get_running_loop(), ("127.0.0.1", 0), lambda batch: None, live=False)
    try:
        with pytest.raises(NonLoopbackRefused):
            transport.send(b"x", (host, 5060))
    finally:
        transport.close()


@pytest.mark.parametrize("host", ["127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1"])
def test_loopback_addresses(host: str) -> None:
    assert is_loopback(host)


async def test_binding_to_the_world_needs_live() -> None:
    with pytest.raises(NonLoopbackRefused):
        UdpTransport(asyncio.get_running_loop(), ("0.0.0.0", 0), lambda batch: None, live=False)
    UdpTransport(asyncio.get_running_loop(), ("0.0.0.0", 0), lambda batch: None, live=True).close()


async def test_a_taken_port_is_an_error() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", 0))
        with pytest.raises(OSError, match=f"in use: 127.0.0.1:{taken.getsockname()[1]}"):
            UdpTransport(asyncio.get_running_loop(), taken.getsockname(), lambda batch: None, live=False)


async def test_a_burst_is_read_in_batches_and_in_order() -> None:
    batches: list[list[tuple[bytes, Address]]] = []
    done = asyncio.Event()

    def take(batch: list[tuple[bytes, Address]]) -> None:
        batches.append(batch)
        if sum(map(len, batches)) == 1_000:
            done.set()

    transport = UdpTransport(asyncio.get_running_loop(), ("127.0.0.1", 0), take, live=False)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        sender.bind(("127.0.0.1", 0))
        for number in range(1_000):
            sender.sendto(str(number).encode(), transport.local_address)
        await asyncio.wait_for(done.wait(), 20)
        assert [data for batch in batches for data, _ in batch] == [str(n).encode() for n in range(1_000)]
        assert {source for batch in batches for _, source in batch} == {sender.getsockname()}
    assert max(map(len, batches)) <= BATCH
    assert len(batches) < 200
    transport.close()
    transport.close()


async def test_ipv6_loopback() -> None:
    done = asyncio.get_running_loop().create_future()
    transport = UdpTransport(asyncio.get_running_loop(), ("::1", 0), done.set_result, live=False)
    transport.send(b"x", transport.local_address)
    assert await asyncio.wait_for(done, 20) == [(b"x", transport.local_address)]
    transport.close()


async def test_a_name_is_asked_for_once(monkeypatch: pytest.MonkeyPatch) -> None:
    loop = asyncio.get_running_loop()
    asked: list[str] = []

    async def getaddrinfo(host: str, *args: object, **settings: object) -> list[tuple[object, ...]]:
        asked.append(host)
        if host == "gone.example":
            raise socket.gaierror
        return [(socket.AF_INET, socket.SOCK_DGRAM, 17, "", (f"127.0.0.{len(asked)}", 0))]

    monkeypatch.setattr(loop, "getaddrinfo", getaddrinfo)
    resolver = Resolver(loop, socket.AF_INET)
    assert resolver.known("127.0.0.5", 5060) == ("127.0.0.5", 5060)
    assert resolver.known("sbc.example", 5060) is None
    found = await asyncio.gather(*[resolver.resolve("sbc.example", port) for port in (1, 2)])
    assert found == [("127.0.0.1", 1), ("127.0.0.1", 2)]
    assert resolver.known("sbc.example", 3) == ("127.0.0.1", 3)
    assert await resolver.resolve("sbc.example", 4) == ("127.0.0.1", 4)
    assert asked == ["sbc.example"]
    assert await resolver.resolve("sbc.example", 5, again=True) == ("127.0.0.2", 5)
    assert await resolver.resolve("gone.example", 6) is None
    await resolver.close()


async def test_a_backlog_that_is_full_stays_in_the_kernel(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transport_module, "BACKLOG_BYTES", 5_000)
    taken: list[bytes] = []
    most, done = 0, asyncio.Event()

    def take(batch: list[tuple[bytes, Address]]) -> None:
        nonlocal most
        most = max(most, sum(len(data) for data, _ in batch))
        taken.extend(data for data, _ in batch)
        if len(taken) == 50:
            done.set()

    transport = UdpTransport(asyncio.get_running_loop(), ("127.0.0.1", 0), take, live=False)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        for number in range(50):
            sender.sendto(b"%04d" % number * 250, transport.local_address)
        await asyncio.wait_for(done.wait(), 20)
    assert taken == [b"%04d" % number * 250 for number in range(50)]
    assert most <= 6_000
    transport.close()
