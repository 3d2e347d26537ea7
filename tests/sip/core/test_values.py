"""URIs, header values and session descriptions, by example."""

import pytest

from outdialer.carriers.sip.core.dialog import Dialog, dump, load, next_hop
from outdialer.carriers.sip.core.headers import (
    address_parts,
    branch_of,
    parameter,
    q850_cause,
    seconds,
    single_via,
    stamp_via,
    tag_of,
    values,
    via_port,
)
from outdialer.carriers.sip.core.message import parse
from outdialer.carriers.sip.core.sdp import answering_direction, describe, description_in, parse_description
from outdialer.carriers.sip.core.uri import from_value, parse_uri, request_uri, split_host_port
from outdialer.ports.carrier import RemoteMedia


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("sip:a@h", ("sip", "h", 5060, "")),
        ("SIP:h:5070;lr", ("sip", "h", 5070, ";lr")),
        ("sips:a:b@[::1]:5071;x=y?h=v", ("sips", "::1", 5071, ";x=y")),
        ("sips:h", ("sips", "h", 5061, "")),
        ("sip:user;par=u%40x@h", ("sip", "h", 5060, "")),
        ("tel:+12025550123", None),
        ("sip:", None),
        ("sip:a@h:99999", None),
        ("sip:a@h:0", None),
        ("sip:a@[::1", None),
        ("sip:a b@h", None),
        ("sip:<a@h>", None),
        ("", None),
    ],
)
def test_uris(text: str, parts: tuple[str, str, int, str] | None) -> None:
    assert parse_uri(text) == parts


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("h", ("h", 5060)),
        ("h:1", ("h", 1)),
        ("[::1]:2", ("::1", 2)),
        ("[::1]", ("::1", 5060)),
        ("[::1]x", None),
        (":5", None),
    ],
)
def test_hosts_and_ports(text: str, found: tuple[str, int] | None) -> None:
    assert split_host_port(text, 5060) == found


def test_request_uris() -> None:
    assert request_uri("+12025550123", "127.0.0.1:5060") == "sip:+12025550123@127.0.0.1:5060"
    assert request_uri("+12025550123", "h", "9*", "#1") == "sip:9*+12025550123%231@h"
    assert request_uri("sip:ann@h?Route=x", "ignored") == "sip:ann@h"
    assert request_uri("sip:ann@h", "ignored", "9", "9") == "sip:ann@h", "only numbers are dressed"
    for bad in ("+١٢", "+1x", "ann", "sips:a@h", "sip:a@h\r\n", "sip:ä@h"):
        with pytest.raises(ValueError, match="bad-destination"):
            request_uri(bad, "h")
    with pytest.raises(ValueError, match="bad-destination"):
        request_uri("+12025550123", "h\r\nEvil: 1")


def test_senders() -> None:
    assert from_value("+12025550100", "", "h") == "<sip:+12025550100@h>"
    assert from_value("sip:ann@h", "Ann", "x") == '"Ann" <sip:ann@h>'


@pytest.mark.parametrize(
    ("value", "uri", "tag"),
    [
        ("<sip:a@h>;tag=1", "sip:a@h", "1"),
        ("sip:a@h;tag=1", "sip:a@h", "1"),
        ('"x <y>;tag=no" <sip:a@h;p=q>;other ; TAG = 2', "sip:a@h;p=q", "2"),
        ('"quote \\" <no>" <sip:a@h>;tag=3;x', "sip:a@h", "3"),
        ("Ann Other <sip:a@h>", "sip:a@h", ""),
        ("<sip:a@h", "sip:a@h", ""),
        ("", "", ""),
    ],
)
def test_addresses(value: str, uri: str, tag: str) -> None:
    assert address_parts(value)[0] == uri
    assert tag_of(value) == tag


def test_lists() -> None:
    assert values('<sip:a,b@h>, "x, y" <sip:c@h>\n<sip:d@h>, ,') == ["<sip:a,b@h>", '"x, y" <sip:c@h>', "<sip:d@h>"]
    assert values("") == []
    assert parameter(';a="x;y";b;c = d', "a") == "x;y"
    assert parameter(";a;b", "b") == ""
    assert parameter(";a", "z") is None


def test_vias() -> None:
    assert branch_of("SIP/2.0/UDP h;rport;branch=z9hG4bKx") == "z9hG4bKx"
    assert branch_of("SIP/2.0/UDP h;branch=z9hG4bKx;rport, SIP/2.0/UDP i;branch=z9hG4bKy") == "z9hG4bKx"
    assert branch_of("SIP/2.0/UDP h;BRANCH = z\nSIP/2.0/UDP i;branch=y") == "z"
    assert branch_of(",") == ""
    assert stamp_via("SIP/2.0/UDP h;rport;received=1;branch=z, b", "127.0.0.1", 7) == (
        "SIP/2.0/UDP h;rport=7;branch=z;received=127.0.0.1, b"
    )
    assert stamp_via(" ,\nSIP/2.0/UDP h\nb, c\nd", "127.0.0.1", 7) == ("SIP/2.0/UDP h;received=127.0.0.1\nb, c\nd")
    assert single_via('SIP/2.0/UDP h;a="x,y", ')
    assert not single_via("SIP/2.0/UDP h, SIP/2.0/UDP i")
    assert not single_via("SIP/2.0/UDP h\nSIP/2.0/UDP i")
    assert via_port("SIP/2.0/UDP h;rport", 7) == 7
    assert via_port("SIP/2.0/UDP h:8", 7) == 8
    assert via_port("SIP/2.0/UDP [::1]", 7) == 5060
    assert via_port("SIP/2.0/UDP h:x", 7) == 5060


def test_numbers_in_headers() -> None:
    assert seconds("120") == seconds(" 120 (soon);duration=3") == 120
    assert seconds("") == seconds("-1") == seconds("Fri, 1 Jan") == seconds("9" * 20) == 0
    assert q850_cause('SIP;cause=200, Q.850 ; cause=31 ; text="a, b"') == 31
    assert q850_cause('q.850;cause="17"') == 17
    assert q850_cause("Q.850") == q850_cause("") == 0


def test_our_description_reads_back() -> None:
    offer = describe("127.0.0.1", 4000, 1)
    found = parse_description(offer)
    assert found is not None
    assert found.media == RemoteMedia(address="127.0.0.1", port=4000, payload_type=0)
    assert found.direction == "sendrecv"
    assert b"a=ptime:20\r\n" in offer
    assert b"a=rtpmap:101 telephone-event/8000\r\n" in offer
    assert b"IN IP6 ::1" in describe("::1", 4000, 1)


@pytest.mark.parametrize(
    ("body", "media", "direction"),
    [
        ("c=IN IP4 127.0.0.1\nm=audio 6000 RTP/AVP 8 0", ("127.0.0.1", 6000, 8), "sendrecv"),
        ("c=IN IP4 127.0.0.1\nm=audio 6000 RTP/AVP 18 8\na=inactive", ("127.0.0.1", 6000, 8), "inactive"),
        ("c=IN IP4 127.0.0.1\nm=audio 6000 RTP/AVP 0\nc=IN IP4 127.0.0.2/127", ("127.0.0.2", 6000, 0), "sendrecv"),
        (
            "c=IN IP4 127.0.0.1\na=recvonly\nm=video 1 RTP/AVP 31\nc=IN IP4 127.0.0.9\na=inactive\n"
            "m=audio 6 RTP/AVP 0\nm=audio 7 RTP/AVP 8\na=sendonly",
            ("127.0.0.1", 6, 0),
            "recvonly",
        ),
        ("c=IN IP6 ::1\nm=audio 6000 RTP/AVP 0", ("::1", 6000, 0), "sendrecv"),
        ("c=IN IP4 127.0.0.1\nm=audio 0 RTP/AVP 0", None, "sendrecv"),
        ("c=IN IP4 127.0.0.1\nm=audio 6000 RTP/SAVP 0", None, "sendrecv"),
        ("c=IN IP4 127.0.0.1\nm=audio x RTP/AVP 0", None, "sendrecv"),
        ("m=audio 6000 RTP/AVP 0", None, "sendrecv"),
        ("c=IN IP4 127.0.0.1", None, "sendrecv"),
    ],
)
def test_descriptions(body: str, media: tuple[str, int, int] | None, direction: str) -> None:
    found = parse_description(f"v=0\n{body}\n".replace("\n", "\r\n").encode())
    assert found is not None
    expected = RemoteMedia(address=media[0], port=media[1], payload_type=media[2]) if media else None
    assert (found.media, found.direction) == (expected, direction)


def test_held_by_a_zero_address() -> None:
    found = parse_description(b"v=0\r\nc=IN IP4 0.0.0.0\r\nm=audio 6000 RTP/AVP 0\r\n")
    assert found is not None
    assert answering_direction(found) == "recvonly"
    assert parse_description(b"hello") is None


def test_a_description_inside_a_multipart_body() -> None:
    body = (
        "--x\r\nContent-Type: application/isup\r\n\r\nabc\r\n--x\r\nContent-Type: application/sdp\r\n\r\n"
        "v=0\r\nc=IN IP4 127.0.0.1\r\nm=audio 6000 RTP/AVP 0\r\n\r\n--x--\r\n"
    )
    text = (
        "SIP/2.0 200 OK\r\nv: SIP/2.0/UDP h;branch=z9hG4bK1\r\nf: <sip:a@h>;tag=1\r\nt: <sip:b@h>;tag=2\r\ni: c\r\n"
        f'CSeq: 1 INVITE\r\nc: multipart/mixed; boundary="x"\r\nl: {len(body)}\r\n\r\n{body}'
    )
    found = description_in(parse(text.encode()))
    assert found is not None
    assert found.media == RemoteMedia(address="127.0.0.1", port=6000)


def test_dialogs_are_stored_as_text() -> None:
    dialog = Dialog(
        call_id="c", local="<sip:a@h>;tag=1", remote="<sip:b@h>;tag=2", target="sip:b@h", routes=("sip:127.0.0.3;lr",),
        sequence=1, fallback=("127.0.0.1", 5060),
    )  # fmt: skip
    assert load(dump(dialog)) == dialog
    assert next_hop(dialog) == ("127.0.0.3", 5060)
    assert load(b"{}") is load(b"\x00") is load(b'{"call_id":1}') is None


def test_the_number_and_method_of_cseq_may_stand_apart_by_any_white_space() -> None:
    head = b"OPTIONS sip:h SIP/2.0\r\nVia: v\r\nFrom: <sip:a@h>\r\nTo: <sip:b@h>\r\nCall-ID: c\r\n"
    data = head + b"CSeq: 8\t OPTIONS\r\n\r\n"
    assert (parse(data).sequence, parse(data).method) == (8, "OPTIONS")


def test_a_uri_longer_than_any_real_one_is_none() -> None:
    assert parse_uri(f"sip:{'a' * 1_000}@h") is not None
    assert parse_uri(f"sip:{'a' * 1_100}@h") is None
