"""RFC 4475: its 49 messages, rebuilt around what each is about, and what a dialer makes of them.

``None``: the bytes are no acceptable message and are dropped unanswered. A number: the status we answer.
``0``: a well-formed response, which matches nothing and is dropped.
"""

import pytest

from outdialer.carriers.sip.core.headers import branch_of, tag_of, values
from outdialer.carriers.sip.core.message import ParseError, parse

from .ladder import STRANGER, Ladder, label


def build(start: str, *changes: str, body: str = "", drop: tuple[str, ...] = ()) -> bytes:
    """A plain message with this start line; a change replaces the header of its name, a ``+`` before it adds one."""
    method = start.partition(" ")[0]
    headers = {
        "via": "Via: SIP/2.0/UDP host.example.com;branch=z9hG4bKplain",
        "from": "From: <sip:caller@example.org>;tag=33242",
        "to": "To: <sip:user@example.com>",
        "call-id": "Call-ID: torture.0ha0isndaksdj@192.0.2.1",
        "cseq": f"CSeq: 8 {'OPTIONS' if method.startswith('SIP') else method}",
        "max-forwards": "Max-Forwards: 70",
        "content-length": f"Content-Length: {len(body.encode())}",
    }
    added = [change[1:] for change in changes if change.startswith("+")]
    for change in changes:
        if not change.startswith("+"):
            headers[change.partition(":")[0].strip().lower()] = change
    lines = [start, *(text for name, text in headers.items() if name not in drop), *added, "", body]
    return "\r\n".join(lines).encode("latin-1", "surrogateescape")


INVITE = "INVITE sip:user@example.com SIP/2.0"
OPTIONS = "OPTIONS sip:user@example.com SIP/2.0"
REGISTER = "REGISTER sip:example.com SIP/2.0"
TORTUOUS = (
    b"INVITE sip:vivekg@chair-dnrc.example.com;unknownparam SIP/2.0\r\n"
    b"TO :\r\n sip:vivekg@chair-dnrc.example.com ;   tag    = 1918181833n\r\n"
    b'from   : "J Rosenberg \\\\\\""       <sip:jdrosen@example.com>\r\n  ;\r\n  tag = 98asjd8\r\n'
    b"MaX-fOrWaRdS: 0068\r\nCall-ID: wsinv.ndaksdj@192.0.2.1\r\nContent-Length   : 4\r\n"
    b"cseq: 0009\r\n  INVITE\r\n"
    b"Via  : SIP  /   2.0\r\n /UDP\r\n    192.0.2.2;branch=390skdjuw\r\ns :\r\n"
    b"NewFangledHeader:   newfangled value\r\n continued newfangled value\r\n"
    b"UnknownHeaderWithUnusualValue: ;;,,;;,;\r\nContent-Type: application/sdp\r\n"
    b"Route:\r\n <sip:services.example.com;lr;unknownwith=value;unknown-no-value>\r\n"
    b"v:  SIP  / 2.0  / TCP     spindle.example.com   ;\r\n  branch  =   z9hG4bK9ikj8  ,\r\n"
    b" SIP  /    2.0   / UDP  192.168.255.111   ; branch=\r\n z9hG4bK30239\r\n"
    b'm:"Quoted string \\"\\"" <sip:jdrosen@example.com> ; newparam =\r\n newvalue ;\r\n  secondparam ; q = 0.33\r\n'
    b"\r\nv=0\n"
)

MESSAGES: list[tuple[str, bytes, int | None]] = [
    ("wsinv 3.1.1.1", TORTUOUS, 481),
    (
        "intmeth 3.1.1.2",
        build(
            "!interesting-Method0123456789_*+`.%indeed'~ sip:1_unusual.URI~(to-be!sure)&isn't+it$/crazy?,/;;*"
            ":&it+has=1,weird!*pas$wo~d_too.(doesn't-it)@example.com SIP/2.0",
            'To: "BEL:\\\x07 NUL:\\\x00 DEL:\\\x7f" <sip:1_unusual.URI~(to-be!sure)&isn\'t+it/;;*@example.com>',
            "+extensionHeader-!.%*+_`'~: \xef\xbb\xbf\xe5\xa4\xa7\xe5\x81\x9c\xe9\x9b\xbb",
        ),
        501,
    ),
    ("esc01 3.1.1.3", build("INVITE sip:sips%3Auser%40example.com@example.net SIP/2.0"), 403),
    ("escnull 3.1.1.4", build(REGISTER, "To: sip:null-%00-null@example.com"), 405),
    ("esc02 3.1.1.5", build("RE%47IST%45R sip:registrar.example.com SIP/2.0", 'To: "%Z%45" <sip:a@b>'), 501),
    ("lwsdisp 3.1.1.6", build(OPTIONS, "From: caller<sip:caller@example.com>;tag=323"), 200),
    (
        "longreq 3.1.1.7",
        build(
            INVITE,
            f'To: "I have a user name of {"extreme" * 60} proportion" <sip:user@example.com:6000;lr>',
            *[f"+Via: SIP/2.0/TCP sip{n}.example.com;branch=z9hG4bK{n}" for n in range(33)],
            f"+Unknown-{'Long' * 50}: unknown-{'long' * 300}",
        ),
        403,
    ),
    ("dblreq 3.1.1.8", build(REGISTER) + build(INVITE), 405),
    ("semiuri 3.1.1.9", build("OPTIONS sip:user;par=u%40example.net@example.com SIP/2.0"), 200),
    (
        "transports 3.1.1.10",
        build(OPTIONS, *[f"+Via: SIP/2.0/{t} t;branch=z9hG4bK{t}" for t in ("SCTP", "TLS", "X")]),
        200,
    ),
    (
        "mpart01 3.1.1.11",
        build(
            "MESSAGE sip:kumiko@example.org SIP/2.0",
            "+Content-Type: multipart/mixed;boundary=x",
            body="--x\r\n\r\na\r\n",
        ),
        405,
    ),
    ("unreason 3.1.1.12", build("SIP/2.0 200 = 2**3 * 5**2 \xd0\xbd\xd0\xbe \xd1\x81\xd1\x82\xd0\xbe"), 0),
    ("noreason 3.1.1.13", build("SIP/2.0 100 "), 0),
    ("badinv01 3.1.2.1", build(INVITE, "Via: SIP/2.0/UDP 192.0.2.15;;,;,,"), 403),
    ("clerr 3.1.2.2", build(INVITE, "Content-Length: 9999", body="v=0\r\n"), None),
    ("ncl 3.1.2.3", build(INVITE, "Content-Length: -999"), None),
    ("scalar02 3.1.2.4", build(REGISTER, "CSeq: 36893488147419103232 REGISTER", "Max-Forwards: 300"), None),
    ("scalarlg 3.1.2.5", build("SIP/2.0 503 Service Unavailable", "CSeq: 9292394834772304023312 OPTIONS"), None),
    ("quotbal 3.1.2.6", build(INVITE, 'To: "Mr J. User <sip:j.user@example.com>'), 403),
    ("ltgtruri 3.1.2.7", build("INVITE <sip:user@example.com> SIP/2.0"), 416),
    ("lwsruri 3.1.2.8", build("INVITE sip:user@example.com; lr SIP/2.0"), None),
    ("lwsstart 3.1.2.9", build("INVITE  sip:user@example.com  SIP/2.0"), None),
    ("trws 3.1.2.10", build("OPTIONS sip:remote-target@example.com SIP/2.0  "), None),
    ("escruri 3.1.2.11", build("INVITE sip:user@example.com?Route=%3Csip:example.com%3E SIP/2.0"), 403),
    ("baddate 3.1.2.12", build(INVITE, "+Date: Fri, 01 Jan 2010 16:00:00 EST"), 403),
    ("regbadct 3.1.2.13", build(REGISTER, "+Contact: sip:user@example.com?Route=%3Csip:sip.example.com%3E"), 405),
    ("badaspec 3.1.2.14", build(OPTIONS, 'To: "Watson, Thomas" < sip:t.watson@example.org >'), 200),
    ("baddn 3.1.2.15", build(OPTIONS, "From: Bell, Alexander <sip:a.g.bell@example.com>;tag=43"), 200),
    ("badvers 3.1.2.16", build("OPTIONS sip:t.watson@example.org SIP/7.0"), None),
    ("mismatch01 3.1.2.17", build(OPTIONS, "CSeq: 8 INVITE"), None),
    ("mismatch02 3.1.2.18", build("NEWMETHOD sip:user@example.com SIP/2.0", "CSeq: 34 INVITE"), None),
    ("bigcode 3.1.2.19", build("SIP/2.0 4294967301 better not break the receiver"), None),
    ("badbranch 3.2.1", build(OPTIONS, "Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK"), 200),
    ("insuf 3.3.1", build(INVITE, drop=("from", "to", "call-id")), None),
    ("unkscm 3.3.2", build("OPTIONS nobodyKnowsThisScheme:totallyopaquecontent SIP/2.0"), 416),
    ("novelsc 3.3.3", build("OPTIONS soap.beep://192.0.2.103:3002 SIP/2.0"), 416),
    ("unksm2 3.3.4", build(REGISTER, "To: isbn:2983792873", "From: <http://www.example.com>;tag=1"), 405),
    ("bext01 3.3.5", build(OPTIONS, "+Require: nothingSupportsThis, nothingSupportsThisEither"), 420),
    ("invut 3.3.6", build(INVITE, "+Content-Type: application/unknownformat", body="<audio/>\r\n"), 403),
    ("regaut01 3.3.7", build(REGISTER, "+Authorization: NoOneKnowsThisScheme opaque-data=here"), 405),
    ("multi01 3.3.8", build(INVITE, "+CSeq: 59 INVITE", "+Call-ID: second", "+To: <sip:other@example.com>"), None),
    ("mcl01 3.3.9", build(OPTIONS, "+Content-Length: 5", body="There"), None),
    ("bcast 3.3.10", build("SIP/2.0 200 OK", "+Via: SIP/2.0/UDP 255.255.255.255;branch=z9hG4bK1saber23"), 0),
    ("zeromf 3.3.11", build(OPTIONS, "Max-Forwards: 0"), 200),
    ("cparam01 3.3.12", build(REGISTER, "+Contact: sip:+19725552222@gw1.example.net;unknownparam"), 405),
    ("cparam02 3.3.13", build(REGISTER, "+Contact: <sip:+19725552222@gw1.example.net;unknownparam>"), 405),
    ("regescrt 3.3.14", build(REGISTER, "+Contact: <sip:user@example.com?Route=%3Csip:sip.example.com%3E>"), 405),
    ("sdp01 3.3.15", build(INVITE, "+Accept: text/nobodyKnowsThis"), 403),
    (
        "inv2543 3.4.1",
        build(INVITE, "Via: SIP/2.0/UDP iftgw.example.com", "From: <sip:+13035551111@x;user=phone>"),
        403,
    ),
]


def test_all_of_them_are_here() -> None:
    assert len({name for name, _, _ in MESSAGES}) == 49


@pytest.mark.parametrize(("name", "data", "status"), MESSAGES, ids=[name for name, _, _ in MESSAGES])
def test_what_a_dialer_answers(name: str, data: bytes, status: int | None) -> None:
    line = Ladder()
    line.hear(data, STRANGER)
    if status is None:
        with pytest.raises(ParseError):
            parse(data)
    else:
        assert parse(data)
    assert [label(message) for _, message, _ in line.sent] == ([str(status)] if status else [])
    assert line.told() == []
    line.nothing_left(0)


def test_what_the_short_tortuous_invite_says() -> None:
    message = parse(TORTUOUS)
    assert (message.sequence, message.method, message.body) == (9, "INVITE", b"v=0\n")
    assert tag_of(message.headers["to"]) == "1918181833n"
    assert tag_of(message.headers["from"]) == "98asjd8"
    assert branch_of(message.headers["via"]) == "390skdjuw"
    assert len(values(message.headers["via"])) == 3
    assert message.headers["subject"] == ""
    assert message.headers["newfangledheader"] == "newfangled value continued newfangled value"


def test_a_body_longer_than_content_length_is_cut() -> None:
    assert parse(build(OPTIONS, "Content-Length: 2", body="abcd")).body == b"ab"
