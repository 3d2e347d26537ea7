"""Any bytes: the parser raises ParseError or nothing, the user agent raises nothing, and state stays bounded."""

import contextlib

from hypothesis import given, settings
from hypothesis import strategies as st

from outdialer.carriers.sip.core.digest import choose, parse_challenges
from outdialer.carriers.sip.core.headers import (
    address_parts,
    branch_of,
    q850_cause,
    seconds,
    stamp_via,
    tag_of,
    values,
    via_port,
)
from outdialer.carriers.sip.core.message import MAX_DATAGRAM, MAX_HEADERS, ParseError, parse
from outdialer.carriers.sip.core.sdp import parse_description
from outdialer.carriers.sip.core.uri import parse_uri

from .ladder import LEG, PEER, SDP_ANSWER, Ladder, peer

CHALLENGE = 'WWW-Authenticate: Digest realm="r", nonce="n", qop="auth"'
header_text = st.text(st.characters(max_codepoint=255, exclude_characters="\r\n"), max_size=60) | st.text(
    '<>";,=@:[]tag branch.z9hG4bK\\\t ', max_size=40
)


@given(st.binary(max_size=2_000))
def test_arbitrary_bytes(data: bytes) -> None:
    with contextlib.suppress(ParseError):
        parse(data)
    line = Ladder()
    line.hear(data)
    assert line.events == []


def test_sizes_are_bounded() -> None:
    line = Ladder()
    start = b"OPTIONS sip:a@127.0.0.1 SIP/2.0\r\n"
    for data in (
        b"\r\n" * 40_000,
        b"A" * (MAX_DATAGRAM + 1),
        start + b"Via: SIP/2.0/UDP a;branch=z9hG4bKx\r\n" * 10_000 + b"\r\n",
        start + b"Via: SIP/2.0/UDP a\r\n" * (MAX_HEADERS + 1) + b"\r\n",
        start + b"X: " + b"a" * 60_000 + b"\r\n\r\n",
        start + b"X: a\r\n" + b" b\r\n" * 10_000 + b"\r\n",
        start + b":\r\n\r\n",
        start + b"Via\r\n\r\n",
    ):
        line.hear(data)
    line.out_nothing()


@given(header_text)
def test_header_values(text: str) -> None:
    address_parts(text)
    tag_of(text)
    branch_of(text)
    q850_cause(text)
    seconds(text)
    choose(parse_challenges(text), "")
    parse_uri(text)
    for value in values(text):
        assert value
    if text.strip(", \t"):
        assert "\r" not in stamp_via(text, "127.0.0.1", 5060)
        assert 0 < via_port(text, 5060) < 65_536


@given(st.binary(max_size=300) | st.binary(max_size=100).map(lambda tail: b"v=0\r\nm=audio " + tail))
def test_session_descriptions(body: bytes) -> None:
    parse_description(body)
    parse_description(SDP_ANSWER.encode() + body)


def conversation() -> list[bytes]:
    """Everything that a far end says in a rich call."""
    line, heard = Ladder(), []

    def keep(data: bytes, source: tuple[str, int] = PEER) -> None:
        heard.append(data)
        Ladder.hear(line, data, source)

    line.hear = keep  # type: ignore[method-assign]
    invite = line.dial("pw", peer=peer(username="u"))
    line.reply(invite, 401, headers=[CHALLENGE])
    line.out("ACK")
    invite = line.out("INVITE")
    line.reply(invite, 100)
    line.reply(invite, 183, sdp=SDP_ANSWER, headers=["Record-Route: <sip:127.0.0.1;lr>"])
    line.reply(invite, 200, sdp=SDP_ANSWER, headers=["Record-Route: <sip:127.0.0.1;lr>"])
    line.accept()
    line.ask("INVITE", invite, sdp=SDP_ANSWER)
    line.ask("ACK", invite)
    line.ask("INFO", invite, sequence=2)
    line.ask("BYE", invite, sequence=3, headers=["Reason: Q.850;cause=16"])
    line.reply(invite, 486, headers=["Retry-After: 5"])
    return heard


HEARD = conversation()


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    """One message of the conversation with a few bytes cut, put in, or replaced."""
    data = draw(st.sampled_from(HEARD))
    for _ in range(draw(st.integers(0, 4))):
        at = draw(st.integers(0, len(data)))
        piece = draw(st.binary(max_size=6) | st.sampled_from([b"\r\n", b'"', b"<", b">", b";", b",", b"\0", b"\r\n "]))
        data = data[:at] + piece + data[at + draw(st.integers(0, 8)) :]
    return data


@settings(max_examples=300, deadline=None)
@given(st.lists(damaged() | st.sampled_from(HEARD) | st.sampled_from(["accept", "hang up", "wait"]), max_size=14))
def test_damaged_conversations(steps: list[bytes | str]) -> None:
    """Whatever comes, in whatever order: every packet sent can be parsed, the leg ends once, nothing is left."""
    line = Ladder()
    line.dial("pw", peer=peer(username="u"))
    for step in steps:
        if isinstance(step, bytes):
            line.hear(step)
        elif step == "accept":
            line.agent.accept(line.now, LEG)
        elif step == "hang up":
            line.hang_up()
        else:
            line.wait(0.7)
    line.hang_up()
    line.wait(120)
    assert line.told().count("Ended") == 1
    line.nothing_left()
