import pytest
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from outdialer.api.peers import client_address, within

PROXIES = ["10.0.0.0/8", "::1"]


@pytest.mark.parametrize(
    ("peer", "address"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("2001:DB8::0001", "2001:db8::1"),
        ("::ffff:10.0.0.1", "10.0.0.1"),
        ("/run/socket", ""),
        ("in-process", ""),
    ],
)
def test_the_address_of_a_sender(peer: str, address: str) -> None:
    assert client_address({"client": (peer, 5)}) == address


def test_no_sender_is_in_no_network() -> None:
    assert client_address({"client": None}) == ""
    assert client_address({}) == ""
    assert not within("", ["0.0.0.0/0", "::/0"])
    assert within("192.0.2.1", ["::/0", "192.0.2.0/24"])


@pytest.mark.parametrize(
    ("peer", "forwarded", "address"),
    [
        ("192.0.2.1", ["198.51.100.7"], "192.0.2.1"),
        ("127.0.0.1", ["198.51.100.7"], "127.0.0.1"),
        ("10.0.0.1", ["198.51.100.7"], "198.51.100.7"),
        ("10.0.0.1", ["203.0.113.9, 198.51.100.7"], "198.51.100.7"),
        ("10.0.0.1", ["203.0.113.9", "198.51.100.7"], "198.51.100.7"),
        ("10.0.0.1", ["203.0.113.9, 198.51.100.7, 10.1.1.1"], "198.51.100.7"),
        ("10.0.0.1", [], "10.0.0.1"),
    ],
)
async def test_what_proxies_say_is_believed_from_trusted_ones_alone(
    peer: str, forwarded: list[str], address: str
) -> None:
    seen: list[str] = []

    async def application(scope: object, _receive: object, _send: object) -> None:
        assert isinstance(scope, dict)
        seen.append(client_address(scope))

    headers = [(b"x-forwarded-for", line.encode()) for line in forwarded]
    scope = {"type": "http", "client": (peer, 5), "scheme": "http", "headers": headers}
    guarded = ProxyHeadersMiddleware(application, trusted_hosts=PROXIES)
    await guarded(scope, None, None)  # type: ignore[arg-type]
    assert seen == [address]
