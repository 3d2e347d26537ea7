"""Digest: whom we answer, how often, and with what (RFC 7616, RFC 2617, RFC 3261 section 22)."""

import hashlib
import re

import pytest

from outdialer.carriers.sip.core.digest import Challenge, authorization, choose, parse_challenges
from outdialer.carriers.sip.core.message import Message
from outdialer.ports.carrier import Ended

from .ladder import PEER, SDP_ANSWER, STRANGER, Ladder, peer

USER = {"username": "Mufasa", "password_file": "unused"}


def challenge(realm: str = "trunk", algorithm: str = "MD5", qop: str = ', qop="auth"', more: str = "") -> str:
    return f'Digest realm="{realm}", nonce="n0", algorithm={algorithm}{qop}, opaque="o"{more}'


def fields(value: str) -> dict[str, str]:
    return {name: quoted or bare for name, quoted, bare in re.findall(r'(\w+)=(?:"([^"]*)"|([^,]*))', value)}


def expected(value: dict[str, str], method: str, password: str, algorithm: str) -> str:
    """The response computed a second time, straight from RFC 7616 section 3.4.1."""

    def digest(text: str) -> str:
        return hashlib.new(algorithm, text.encode()).hexdigest()

    first = digest(f"{value['username']}:{value['realm']}:{password}")
    second = digest(f"{method}:{value['uri']}")
    if "qop" in value:
        return digest(f"{first}:{value['nonce']}:{value['nc']}:{value['cnonce']}:{value['qop']}:{second}")
    return digest(f"{first}:{value['nonce']}:{second}")


@pytest.mark.parametrize(("status", "header"), [(401, "WWW-Authenticate"), (407, "Proxy-Authenticate")])
@pytest.mark.parametrize(("name", "algorithm"), [("MD5", "md5"), ("SHA-256", "sha256")])
@pytest.mark.parametrize("qop", ["", ', qop="auth"', ', qop="auth-int,auth"'])
def test_a_challenge_is_answered_once(status: int, header: str, name: str, algorithm: str, qop: str) -> None:
    line = Ladder()
    first = line.dial("Circle of Life", peer=peer(**USER))
    line.reply(first, 100)
    line.reply(first, status, headers=[f"{header}: {challenge(algorithm=name, qop=qop)}"])
    assert line.out("ACK").sequence == 1
    second = line.out("INVITE")
    assert second.sequence == 2
    assert second.call_id == first.call_id
    assert second.headers["from"] == first.headers["from"]
    assert second.headers["via"] != first.headers["via"]
    value = fields(second.headers["authorization" if status == 401 else "proxy-authorization"])
    assert value["response"] == expected(value, "INVITE", "Circle of Life", algorithm)
    assert (value["uri"], value["opaque"]) == (first.uri, "o")
    line.reply(second, status, headers=[f"{header}: {challenge(more=', stale=true')}"])
    line.out("ACK")
    line.out_nothing()
    assert line.told() == ["Trying", "Ended"]
    line.nothing_left()


def test_what_a_trunk_wants_stands_in_every_invite_and_its_cancel() -> None:
    line = Ladder()
    dressed = peer(**USER, prefix="9*", postfix="#", headers="X-Account: 7\r\nX-B: c\r\n")
    first = line.dial("Circle of Life", peer=dressed)
    line.reply(first, 401, headers=[f"WWW-Authenticate: {challenge()}"])
    assert line.out("ACK").uri == first.uri
    second = line.out("INVITE")
    line.reply(second, 180)
    line.hang_up()
    cancel = line.out("CANCEL")
    for request in (first, second, cancel):
        assert request.uri == f"sip:9*+12025550123%23@{PEER[0]}:{PEER[1]}"
        assert request.headers["to"].startswith(f"<{request.uri}>")
    for invite in (first, second):
        assert (invite.headers["x-account"], invite.headers["x-b"]) == ("7", "c")


def test_rfc_7616_section_3_9_1_both_algorithms() -> None:
    for algorithm, response in (("MD5", "8ca523f5e9506fed4657c9700eebdbec"), ("SHA-256", None)):
        asked = Challenge(
            realm="http-auth@example.org", nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", opaque="x",
            algorithm=algorithm, qop=True, understood=True, stale=False,
        )  # fmt: skip
        value = fields(authorization(asked, "Mufasa", "Circle of Life", "GET", "/dir/index.html", b"s"))
        name = algorithm.lower().replace("-", "")
        assert value["response"] == expected(value, "GET", "Circle of Life", name)
        known = value | {"cnonce": "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ"}
        if response:
            assert expected(known, "GET", "Circle of Life", name) == response


def test_the_answered_call_goes_on_with_its_second_invite() -> None:
    line = Ladder()
    first = line.dial("pw", peer=peer(**USER), ring_limit_ms=10_000)
    line.reply(first, 401, headers=[f"WWW-Authenticate: {challenge()}"])
    line.out("ACK")
    second = line.out("INVITE")
    line.reply(second, 180)
    line.wait(10.1)
    cancel = line.out("CANCEL")
    assert (cancel.sequence, cancel.headers["via"]) == (2, second.headers["via"])
    line.reply(second, 487)
    line.out("ACK")
    line.nothing_left()


@pytest.mark.parametrize(
    ("why", "settings", "header", "source"),
    [
        ("wrong realm", {"realm": "trunk", **USER}, challenge(realm="evil"), PEER),
        ("a stranger asks", USER, challenge(), STRANGER),
        ("no user", {}, challenge(), PEER),
        ("unknown algorithm", USER, challenge(algorithm="SHA-512"), PEER),
        ("only auth-int", USER, challenge(qop=', qop="auth-int"'), PEER),
        ("not digest", USER, 'Basic realm="trunk"', PEER),
        ("nothing to answer", USER, "", PEER),
    ],
)
def test_challenges_that_are_not_answered(
    why: str, settings: dict[str, str], header: str, source: tuple[str, int]
) -> None:
    line = Ladder()
    invite = line.dial("pw", peer=peer(**settings))
    line.reply(invite, 401, headers=[f"WWW-Authenticate: {header}"], source=source)
    line.out("ACK")
    line.out_nothing()
    assert line.event(Ended).sip_code == 401, why
    line.nothing_left()


def test_the_first_realm_of_a_peer_is_the_only_one() -> None:
    line = Ladder()
    for leg, realm, answered in ((1, "trunk", True), (2, "evil", False), (3, "trunk", True)):
        invite = line.dial("pw", peer=peer(**USER), leg=leg, attempt_id=leg.to_bytes(16, "big"))
        line.reply(invite, 401, headers=[f"WWW-Authenticate: {challenge(realm=realm)}"])
        assert [what for _, what in line.out_all()] == ["ACK", "INVITE"][: 1 + answered]


def test_the_strongest_of_several_challenges_is_answered() -> None:
    line = Ladder()
    invite = line.dial("pw", peer=peer(**USER))
    asked = f"{challenge()}, {challenge(algorithm='SHA-256')}"
    line.reply(invite, 401, headers=['WWW-Authenticate: Basic realm="trunk"', f"WWW-Authenticate: {asked}"])
    line.out("ACK")
    assert fields(line.out("INVITE").headers["authorization"])["algorithm"] == "SHA-256"


def test_no_challenge_is_answered_while_hanging_up() -> None:
    line = Ladder()
    invite = line.dial("pw", peer=peer(**USER))
    line.hang_up("operator")
    line.reply(invite, 401, headers=[f"WWW-Authenticate: {challenge()}"])
    line.out("ACK")
    line.out_nothing()
    assert line.event(Ended).why == "operator"


def up(line: Ladder, contact: str) -> Message:
    invite = line.dial("pw", peer=peer(**USER))
    line.reply(invite, 200, sdp=SDP_ANSWER, contact=contact)
    line.accept()
    line.hang_up()
    line.events.clear()
    return line.out("BYE")


def test_a_bye_challenged_by_the_peer_is_sent_again_with_credentials() -> None:
    line = Ladder()
    bye = up(line, "<sip:far@127.0.0.1:5060>")
    line.reply(bye, 407, headers=[f"Proxy-Authenticate: {challenge()}"])
    again = line.out("BYE")
    assert again.sequence == 3
    value = fields(again.headers["proxy-authorization"])
    assert value["response"] == expected(value, "BYE", "pw", "md5")
    line.reply(again, 407, headers=[f"Proxy-Authenticate: {challenge()}"])
    assert line.told() == ["Ended"]
    line.nothing_left()


def test_a_bye_challenged_by_a_stranger_gives_nothing_away() -> None:
    line = Ladder()
    bye = up(line, "<sip:far@127.0.0.9:5060>")
    line.reply(bye, 401, headers=[f"WWW-Authenticate: {challenge()}"], source=STRANGER)
    line.out_nothing()
    assert line.told() == ["Ended"]
    line.nothing_left()


def test_session_variants_hash_the_client_nonce_in() -> None:
    asked = choose(parse_challenges(challenge(algorithm="MD5-sess")), "trunk")
    assert asked is not None
    value = fields(authorization(asked, "u", "p", "INVITE", "sip:x", b"s"))
    account = hashlib.md5(b"u:trunk:p").hexdigest()
    first = hashlib.md5(f"{account}:n0:{value['cnonce']}".encode()).hexdigest()
    second = hashlib.md5(b"INVITE:sip:x").hexdigest()
    text = f"{first}:n0:00000001:{value['cnonce']}:auth:{second}"
    assert value["response"] == hashlib.md5(text.encode()).hexdigest()
