"""No disguise leads to a socket: what was opened is seen by the interpreter's own audit events."""

import ipaddress
import socket
import sys
from collections.abc import AsyncIterator

import pytest

from outdialer.web.addresses import Address, UriError, is_public, read_uri, refusal_of, unwrapped
from outdialer.web.client import Forbidden, Reach, WebClient
from outdialer.web.connection import WebError
from tests.web.disguises import INSIDE, INSIDE_V6, answers, urls, wrapped

CONNECTED: list[object] = []
LOOPBACK = (ipaddress.ip_network("127.0.0.0/8"),)


def _watch(event: str, arguments: tuple[object, ...]) -> None:
    if event in ("socket.connect", "socket.sendto", "socket.sendmsg"):
        CONNECTED.append(arguments[1])


sys.addaudithook(_watch)


class Names:
    """A resolver that answers what it is told to, and reads numbers in every spelling, as many resolvers do."""

    def __init__(self, *answers: list[str]) -> None:
        self.answers = list(answers)
        self.asked: list[str] = []

    async def __call__(self, host: str) -> list[Address]:
        self.asked.append(host)
        if self.answers:
            return [ipaddress.ip_address(text) for text in self.answers.pop(0)]
        if host.strip(".").lower() == "localhost":
            return [ipaddress.ip_address("127.0.0.1")]
        return [ipaddress.ip_address(socket.inet_ntoa(socket.inet_aton(host)))]


@pytest.fixture
async def opened() -> AsyncIterator[list[WebClient]]:
    CONNECTED.clear()
    clients: list[WebClient] = []
    yield clients
    for client in clients:
        await client.close()


def client_of(opened: list[WebClient], names: Names, reach: Reach = Reach()) -> WebClient:  # noqa: B008
    opened.append(WebClient(reach, resolve=names))
    return opened[-1]


async def ask(client: WebClient, url: str) -> None:
    await client.ask("POST", read_uri(url), {}, b"{}", seconds=5, most_bytes=100)


def test_there_are_more_than_two_hundred_disguises() -> None:
    assert len(set(urls())) > 300
    assert len(list(answers())) > 150


async def test_no_url_opens_a_socket(opened: list[WebClient]) -> None:
    client = client_of(opened, Names())
    for url in urls():
        with pytest.raises((UriError, WebError)):
            await ask(client, url)
    assert CONNECTED == []


async def test_no_answer_of_a_resolver_opens_a_socket(opened: list[WebClient]) -> None:
    told = list(answers())
    client = client_of(opened, Names(*told))
    for _ in told:
        with pytest.raises(WebError):
            await ask(client, "https://good.example/hook")
    assert CONNECTED == []


@pytest.mark.parametrize(
    "url", ["https://127.0.0.1/", "https://[::1]/", "https://10.1.2.3:8443/", "http://good.example/"]
)
def test_what_shows_in_the_url_is_refused_when_it_is_written_down(url: str) -> None:
    assert refusal_of(read_uri(url), on_premises=False)
    assert not refusal_of(read_uri(url), on_premises=True)


async def test_a_name_that_changes_its_mind_gains_nothing(opened: list[WebClient]) -> None:
    """DNS rebinding: there is one look-up, its answer is checked, and the socket goes to that very address."""
    names = Names(["127.0.0.1"], ["169.254.169.254"])
    client = client_of(opened, names, Reach(networks=LOOPBACK))
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        server.close()
        with pytest.raises(WebError, match="no connection"):
            await ask(client, f"http://rebind.example:{port}/")
        assert names.asked == ["rebind.example"]
        assert [("127.0.0.1", port)] == CONNECTED
        with pytest.raises(Forbidden):
            await ask(client, f"http://rebind.example:{port}/")
    assert [("127.0.0.1", port)] == CONNECTED


async def test_one_bad_address_among_good_ones_is_enough(opened: list[WebClient]) -> None:
    client = client_of(opened, Names(["127.0.0.1", "10.0.0.1"]), Reach(networks=LOOPBACK))
    with pytest.raises(Forbidden, match="not a public one"):
        await ask(client, "http://half.example:80/")
    assert CONNECTED == []


async def test_permitted_networks_hold_for_wrapped_addresses_too(opened: list[WebClient]) -> None:
    client = client_of(opened, Names(["::ffff:10.0.0.1"]), Reach(networks=LOOPBACK))
    with pytest.raises(Forbidden):
        await ask(client, "http://half.example/")
    assert CONNECTED == []


@pytest.mark.parametrize(
    "address", ["93.184.216.34", "1.1.1.1", "100.63.255.255", "100.128.0.0", "172.32.0.1", "2606:2800:220:1::1"]
)
def test_public_addresses(address: str) -> None:
    assert is_public(ipaddress.ip_address(address))


def test_a_public_address_behind_nat64_is_public() -> None:
    """A network without IPv4 reaches it that way (RFC 6147)."""
    address = ipaddress.ip_address("64:ff9b::93.184.216.34")
    assert unwrapped(address) == ipaddress.ip_address("93.184.216.34")
    assert is_public(address)


@pytest.mark.parametrize("address", [*INSIDE, *INSIDE_V6, *(form for one in INSIDE for form in wrapped(one))])
def test_what_is_not_public(address: str) -> None:
    assert not is_public(ipaddress.ip_address(address))


@pytest.mark.parametrize(
    ("text", "host", "port", "path", "authority"),
    [
        ("https://good.example", "good.example", 443, "/", "good.example"),
        ("HTTPS://Good.Example:8443/a?b=c%20d", "good.example", 8443, "/a?b=c%20d", "good.example:8443"),
        ("https://good.example?x=1", "good.example", 443, "/?x=1", "good.example"),
        ("http://[2606:2800:220:1::1]:81/", "2606:2800:220:1::1", 81, "/", "[2606:2800:220:1::1]:81"),
        ("https://93.184.216.34/", "93.184.216.34", 443, "/", "93.184.216.34"),
        ("https://a_b.example/", "a_b.example", 443, "/", "a_b.example"),
    ],
)
def test_urls_that_are_read(text: str, host: str, port: int, path: str, authority: str) -> None:
    target = read_uri(text)
    assert (target.host, target.port, target.path, target.authority) == (host, port, path, authority)
