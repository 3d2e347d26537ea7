"""The client against receivers that misbehave, over real sockets on loopback."""

import asyncio
import ipaddress
import os
import ssl
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from outdialer.web.addresses import Address, read_uri
from outdialer.web.client import Reach, WebClient
from outdialer.web.connection import Answer, WebError
from tests.web.receiver import NETWORKS, Got, Receiver, always, status
from tests.web.test_guard import CONNECTED, Names

HERE = Path(__file__).parent


@pytest.fixture
async def client() -> AsyncIterator[WebClient]:
    made = WebClient(Reach(networks=NETWORKS))
    yield made
    await made.close()


async def post(client: WebClient, url: str, *, seconds: float = 20, most_bytes: int = 64 << 10) -> Answer:
    headers = {"Content-Type": "application/json"}
    return await client.ask("POST", read_uri(url), headers, b'{"a":1}', seconds=seconds, most_bytes=most_bytes)


async def test_what_is_sent_and_read(client: WebClient) -> None:
    async with Receiver(always(status(202, "Retry-After: 7", "Set-Cookie: a=b", body=b"thanks"))) as receiver:
        answer = await post(client, receiver.url)
        await post(client, receiver.url)
    assert (answer.status, answer.headers["retry-after"], answer.body, answer.whole) == (202, "7", b"thanks", True)
    first, second = receiver.got
    assert (first.method, first.path, first.body) == ("POST", "/hook", b'{"a":1}')
    assert first.headers["host"] == f"127.0.0.1:{receiver.port}"
    assert "cookie" not in second.headers
    assert receiver.connections == 1


async def test_a_redirect_is_an_answer_and_not_followed(client: WebClient) -> None:
    CONNECTED.clear()
    place = status(302, "Location: http://169.254.169.254/latest/meta-data/")
    async with Receiver(always(place)) as receiver:
        assert (await post(client, receiver.url)).status == 302
        assert [("127.0.0.1", receiver.port)] == CONNECTED


async def test_a_huge_answer_is_read_in_part_and_its_connection_closed(client: WebClient) -> None:
    async def flood(got: Got, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n")
        while True:
            writer.write(bytes(1 << 16))
            await writer.drain()

    async with Receiver(flood) as receiver:
        answer = await post(client, receiver.url)
        await receiver.until(lambda: receiver.closed_by_peer == 1)
    assert (answer.status, len(answer.body), answer.whole) == (200, 64 << 10, False)


async def test_a_compression_bomb_is_never_unpacked(client: WebClient) -> None:
    bomb = b"\x1f\x8b\x08\x00" + bytes(1_000)
    async with Receiver(always(status(200, "Content-Encoding: gzip", body=bomb))) as receiver:
        assert (await post(client, receiver.url)).body == bomb


async def test_endless_headers_end(client: WebClient) -> None:
    async def endless(got: Got, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\n")
        while True:
            writer.write(b"X-More: " + b"x" * 1_000 + b"\r\n")
            await writer.drain()

    async with Receiver(endless) as receiver:
        with pytest.raises(WebError, match="do not end"):
            await post(client, receiver.url)


async def _hang(got: Got, writer: asyncio.StreamWriter) -> None:
    await asyncio.Event().wait()


async def _drip_head(got: Got, writer: asyncio.StreamWriter) -> None:
    for byte in b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 1_000:
        writer.write(bytes([byte]))
        await writer.drain()
        await asyncio.sleep(0.01)


@pytest.mark.parametrize("answer", [_hang, _drip_head])
async def test_everything_together_has_a_limit_of_time(client: WebClient, answer: object) -> None:
    async with Receiver(answer) as receiver:  # type: ignore[arg-type]
        with pytest.raises(WebError, match="no answer within"):
            await post(client, receiver.url, seconds=0.3)


async def test_a_body_that_drips_does_not_take_the_status_back(client: WebClient) -> None:
    async def drip(got: Got, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nx")
        await asyncio.Event().wait()

    async with Receiver(drip) as receiver:
        answer = await post(client, receiver.url, seconds=2)
    assert (answer.status, answer.body, answer.whole) == (200, b"x", False)


@pytest.mark.parametrize("raw", [b"SSH-2.0-OpenSSH\r\n", b"\x00" * 100 + b"\r\n\r\n", b"HTTP/1.1 abc\r\n\r\n"])
async def test_what_is_not_http_is_an_error(client: WebClient, raw: bytes) -> None:
    async with Receiver(always(raw)) as receiver:
        with pytest.raises(WebError) as error:
            await post(client, receiver.url)
    assert "SSH" not in str(error.value)


async def test_what_nobody_asked_for_changes_no_answer_and_ends_the_connection(client: WebClient) -> None:
    async with Receiver(always(status(500) + status(200))) as receiver:
        assert (await post(client, receiver.url)).status == 500
        assert (await post(client, receiver.url)).status == 500
        assert receiver.connections == 2


async def test_a_connection_that_was_closed_while_idle_is_replaced(client: WebClient) -> None:
    async def once(got: Got, writer: asyncio.StreamWriter) -> None:
        writer.write(status(200))
        await writer.drain()
        writer.transport.abort()

    async with Receiver(once) as receiver:
        for _ in range(3):
            assert (await post(client, receiver.url)).status == 200
        assert receiver.connections == 3


async def test_interim_answers_are_passed_over(client: WebClient) -> None:
    interim = b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n"
    async with Receiver(always(interim + interim + status(201, "X: y", body=b"z"))) as receiver:
        answer = await post(client, receiver.url)
    assert (answer.status, answer.headers, answer.body) == (201, {"content-length": "1", "x": "y"}, b"z")


@pytest.mark.parametrize(
    ("raw", "whole"),
    [
        (b"HTTP/1.1 200 OK\r\n\r\nall of it", True),
        (b"HTTP/1.0 200 OK\r\nContent-Length: 20\r\n\r\nall of it", False),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nall of it\r\n", False),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nall of it\r\n0\r\n\r\n", True),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nall of it\r\nxyz", False),
    ],
)
async def test_where_a_body_ends(client: WebClient, raw: bytes, whole: bool) -> None:
    async def answer(got: Got, writer: asyncio.StreamWriter) -> None:
        writer.write(raw)
        await writer.drain()
        writer.close()

    async with Receiver(answer) as receiver:
        got = await post(client, receiver.url)
    assert (got.status, got.body, got.whole) == (200, b"all of it", whole)


async def test_nobody_there(client: WebClient) -> None:
    async with Receiver() as receiver:
        url = receiver.url
    with pytest.raises(WebError, match="no connection"):
        await post(client, url)


async def test_proxies_of_the_environment_are_not_asked(client: WebClient, monkeypatch: pytest.MonkeyPatch) -> None:
    async with Receiver() as proxy, Receiver() as receiver:
        for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "all_proxy", "ALL_PROXY"):
            monkeypatch.setitem(os.environ, name, f"http://127.0.0.1:{proxy.port}")
        assert (await post(client, receiver.url)).status == 204
        assert proxy.connections == 0


def _tls() -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """A server that is ``receiver.example``, and a client that trusts it."""
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(HERE / "receiver.example.pem")
    return server, ssl.create_default_context(cafile=HERE / "receiver.example.pem")


@pytest.mark.parametrize(("name", "good"), [("receiver.example", True), ("other.example", False)])
async def test_the_name_stays_in_the_handshake_and_is_checked(name: str, good: bool) -> None:
    server, trust = _tls()
    seen: list[str | None] = []
    server.sni_callback = lambda _socket, server_name, _context: seen.append(server_name)
    client = WebClient(Reach(networks=NETWORKS), resolve=Names(["127.0.0.1"]), tls=lambda: trust)
    async with Receiver(tls=server) as receiver:
        url = f"https://{name}:{receiver.port}/hook"
        if good:
            assert (await post(client, url)).status == 204
            assert receiver.got[0].headers["host"] == f"{name}:{receiver.port}"
        else:
            with pytest.raises(WebError, match="certificate"):
                await post(client, url)
            assert receiver.got == []
        await client.close()
    assert seen == [name]


async def test_a_certificate_nobody_vouches_for_is_refused(client: WebClient) -> None:
    server, _ = _tls()
    async with Receiver(tls=server) as receiver:
        with pytest.raises(WebError, match="certificate"):
            await post(client, receiver.url)


async def test_a_slow_name_holds_up_nobody_else() -> None:
    slow: asyncio.Future[list[Address]] = asyncio.get_running_loop().create_future()

    async def names(host: str) -> list[Address]:
        return await slow if host == "slow.example" else [_LOOPBACK]

    client = WebClient(Reach(networks=NETWORKS), resolve=names)
    async with Receiver() as receiver:
        waiting = asyncio.ensure_future(post(client, f"http://slow.example:{receiver.port}/"))
        assert (await post(client, f"http://quick.example:{receiver.port}/")).status == 204
        slow.set_result([_LOOPBACK])
        assert (await waiting).status == 204
        await client.close()


_LOOPBACK = ipaddress.ip_address("127.0.0.1")
