import pytest

from outdialer.carriers.simulator.behaviours import Challenge
from outdialer.phones.digest import Credentials, challenge_header, nonce_of, verify
from outdialer.phones.message import Message, parse

MUFASA = Credentials(username="Mufasa", password="Circle of Life", realm="http-auth@example.org")
NONCE = "7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v"
RESPONSES = {
    "MD5": "8ca523f5e9506fed4657c9700eebdbec",
    "SHA-256": "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1",
}
"""The example of RFC 7616 section 3.9.1."""


def request(algorithm: str = "MD5", header: str = "Authorization", **changes: str) -> Message:
    values = {
        "username": "Mufasa",
        "realm": "http-auth@example.org",
        "uri": "/dir/index.html",
        "nonce": NONCE,
        "cnonce": "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ",
        "response": RESPONSES[algorithm],
    } | changes
    text = ", ".join(f'{key}="{value}"' for key, value in values.items())
    return parse(
        (
            "GET /dir/index.html SIP/2.0\r\nVia: SIP/2.0/UDP h;branch=z9hG4bKa\r\nFrom: <sip:a@b>;tag=f\r\n"
            f"To: <sip:a@b>\r\nCall-ID: c\r\nCSeq: 1 GET\r\n"
            f"{header}: Digest {text}, algorithm={algorithm}, nc=00000001, qop=auth\r\n\r\n"
        ).encode()
    )


@pytest.mark.parametrize("algorithm", ["MD5", "SHA-256"])
def test_the_example_of_the_rfc(algorithm: str) -> None:
    challenge = Challenge(algorithm=algorithm)  # type: ignore[arg-type]
    assert verify(request(algorithm), challenge, MUFASA, NONCE) == ""


@pytest.mark.parametrize(
    ("message", "wrong"),
    [
        (request(response="0" * 32), "wrong response"),
        (request(username="Scar"), "another username"),
        (request(realm="elsewhere"), "another realm"),
        (request(nonce="old"), "another nonce"),
        (request(uri="/"), "another uri"),
        (request("SHA-256"), "another algorithm"),
        (request(cnonce=""), "no qop, cnonce or nc"),
        (request(header="Proxy-Authorization"), "none"),
        (request(response="é"), "wrong response"),
    ],
)
def test_what_is_wrong_is_named(message: Message, wrong: str) -> None:
    assert verify(message, Challenge(), MUFASA, NONCE) == wrong


def test_proxies_ask_by_another_header() -> None:
    header = challenge_header(Challenge(status=407, algorithm="SHA-256"), "r", "n", stale=True)
    assert header == 'Proxy-Authenticate: Digest realm="r", nonce="n", algorithm=SHA-256, qop="auth", stale=true'
    assert verify(request(header="Proxy-Authorization"), Challenge(status=407), MUFASA, NONCE) == ""


def test_the_nonce_is_a_function_of_the_call() -> None:
    assert nonce_of(1, "a") == nonce_of(1, "a")
    assert len({nonce_of(seed, call) for seed in (1, 2) for call in "ab"}) == 4
