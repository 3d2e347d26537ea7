import pytest
from hypothesis import given
from hypothesis import strategies as st

from outdialer.phones import sdp
from outdialer.phones.message import (
    NotSip,
    host_port_of,
    number_of,
    parse,
    render,
    reply_address,
    response_head,
    split_list,
    status_line,
    tag_of,
    uri_of,
)

INVITE = (
    b"INVITE sip:+12025550123;tag=x@127.0.0.1:5060;user=phone SIP/2.0\r\n"
    b"v: SIP/2.0/UDP 127.0.0.1:4000;branch=z9hG4bKa;rport, SIP/2.0/UDP 10.0.0.1;branch=z9hG4bKb\r\n"
    b'From: "A, <B> \\"C\\"" <sip:+12025550100@127.0.0.1>;tag=from\r\n'
    b"to: <sip:+12025550123@127.0.0.1>\r\n"
    b"i: call@127.0.0.1\r\n"
    b"CSeq: 1 INVITE\r\n"
    b"Subject: folded\r\n over two lines\r\n"
    b"Record-Route: <sip:p1;lr>, <sip:p2;lr>\r\n"
    b"Record-Route: <sip:p3;lr>\r\n"
    b"l: 3\r\n\r\nabcdef"
)


def test_reads_compact_folded_and_listed_headers() -> None:
    message = parse(INVITE)
    assert (message.method, message.status, message.cseq, message.call_id) == ("INVITE", 0, 1, "call@127.0.0.1")
    assert (message.branch, message.sent_by) == ("z9hG4bKa", "127.0.0.1:4000")
    assert (message.from_tag, message.to_tag) == ("from", "")
    assert message.header("subject") == "folded over two lines"
    assert message.listed("record-route") == ["<sip:p1;lr>", "<sip:p2;lr>", "<sip:p3;lr>"]
    assert message.body == "abc"
    assert number_of(message.uri) == "+12025550123"


def test_reads_a_response() -> None:
    message = parse(INVITE.replace(INVITE.split(b"\r\n")[0], b"SIP/2.0 180 Ringing", 1))
    assert (message.status, message.method) == (180, "INVITE")


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        (b"\r\n\r\nabcdef", b"", "no empty line"),
        (b"CSeq: 1 INVITE", b"CSeq: one INVITE", "not a number"),
        (b"CSeq: 1 INVITE", b"CSeq: INVITE", "no readable header"),
        (b"CSeq: 1 INVITE", b"CSeq: 1 BYE", "CSeq of INVITE says BYE"),
        (b"i: call@127.0.0.1\r\n", b"", "call-id"),
        (b"SIP/2.0/UDP 127", b"SIP/2.0/TCP 127", "another transport"),
        (b" SIP/2.0\r\nv", b" SIP/3.0\r\nv", "not a SIP request line"),
        (b"l: 3", b"l: 99", "Content-Length says 99"),
        (b"l: 3", b"l: many", "not a number"),
        (b"Subject: folded", b"Subject folded", "without a colon"),
    ],
)
def test_refuses_what_is_no_sip(old: bytes, new: bytes, why: str) -> None:
    with pytest.raises(NotSip, match=why):
        parse(INVITE.replace(old, new))


@given(
    st.binary(max_size=400)
    | st.builds(lambda at, junk: INVITE[:at] + junk + INVITE[at:], st.integers(0, 400), st.binary(max_size=5))
)
def test_arbitrary_bytes_raise_nothing_but_notsip(datagram: bytes) -> None:
    try:
        message = parse(datagram)
    except NotSip:
        return
    render(status_line(200), response_head(message, ("127.0.0.1", 4000), "t"))


@pytest.mark.parametrize(
    ("uri", "number"),
    [
        ("sip:+12025550123@h", "+12025550123"),
        ("sips:bob:secret@h:5061;transport=udp", "bob"),
        ("tel:+12025550123;phone-context=x", "+12025550123"),
        ("sip:%2B12025550123@h", "+12025550123"),
        ("sip:host.invalid;lr", "host.invalid"),
    ],
)
def test_numbers(uri: str, number: str) -> None:
    assert number_of(uri) == number


def test_addresses() -> None:
    assert host_port_of("sip:a@127.0.0.1:5070;lr") == ("127.0.0.1", 5070)
    assert host_port_of("sip:127.0.0.1") == ("127.0.0.1", 5060)
    assert host_port_of("sip:a@[::1]:5070") == ("::1", 5070)
    assert uri_of('"x" <sip:a@b;lr>;q=1') == "sip:a@b;lr"
    assert uri_of("sip:a@b;q=1") == "sip:a@b"
    assert tag_of("sip:a@b;TAG = z") == "z"
    assert tag_of("<sip:a@b;tag=no>") == ""
    assert split_list('"a,b" <sip:x,y@z>, c') == ['"a,b" <sip:x,y@z>', "c"]


def test_replies_go_by_rport_or_by_the_via() -> None:
    with_rport = parse(INVITE)
    without = parse(INVITE.replace(b";rport,", b","))
    assert reply_address(with_rport, ("127.0.0.2", 9)) == ("127.0.0.2", 9)
    assert reply_address(without, ("127.0.0.2", 9)) == ("127.0.0.2", 4000)


def test_the_head_of_a_response_repeats_the_request() -> None:
    lines = response_head(parse(INVITE), ("127.0.0.2", 9), "mine").split("\r\n")
    assert lines == [
        "Via: SIP/2.0/UDP 127.0.0.1:4000;branch=z9hG4bKa;rport=9;received=127.0.0.2",
        "Via: SIP/2.0/UDP 10.0.0.1;branch=z9hG4bKb",
        'From: "A, <B> \\"C\\"" <sip:+12025550100@127.0.0.1>;tag=from',
        "To: <sip:+12025550123@127.0.0.1>;tag=mine",
        "Call-ID: call@127.0.0.1",
        "CSeq: 1 INVITE",
        "",
    ]


def test_the_length_of_the_body_is_in_bytes() -> None:
    assert render("SIP/2.0 200 OK", "", body="v=é").endswith(b"Content-Length: 4\r\n\r\nv=\xc3\xa9")


OFFER = (
    "v=0\r\no=- 1 1 IN IP4 10.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n"
    "m=audio 4000 RTP/AVP 18 8 0 101\r\na=rtpmap:101 telephone-event/8000\r\n"
    "m=video 1 RTP/AVP 99\r\nc=IN IP4 9.9.9.9\r\n"
)


def test_session_descriptions() -> None:
    offer = sdp.read(OFFER)
    assert (offer.address, offer.port, offer.codec, offer.event_type) == ("127.0.0.1", 4000, 8, 101)
    assert sdp.read(OFFER.replace("m=video", "c=IN IP4 127.0.0.9\r\nm=video")).address == "127.0.0.9"
    again = sdp.read(sdp.write("::1", 4002, 8, 101, 1))
    assert (again.address, again.port, again.payload_types, again.event_type) == ("::1", 4002, (8, 101), 101)
    with pytest.raises(ValueError, match="audio"):
        sdp.read("v=0\r\n")
