"""Real messages of all kinds, and ways to damage them. Everything comes from the seed."""

import random
import re
from collections.abc import Callable

from outdialer.carriers.sip.core.message import Message
from outdialer.carriers.sip.core.outputs import Address

from .ladder import PEER, SDP_ANSWER, Ladder, order, peer, remembered
from .test_torture import MESSAGES

CHALLENGE = 'WWW-Authenticate: Digest realm="trunk", nonce="abc", qop="auth", algorithm=SHA-256, opaque="o"'
LATE_ATTEMPT = bytes(range(16, 32))
BIG = 60_000


class Recorder(Ladder):
    """Keeps everything the far end says and everything we send, as bytes."""

    def __init__(self) -> None:
        super().__init__()
        self.heard: list[bytes] = []

    def hear(self, data: bytes, source: Address = PEER) -> None:
        self.heard.append(data)
        super().hear(data, source)


def said_to(line: Recorder, invite: Message) -> None:
    """Whatever a far end may say to an INVITE and inside its dialog."""
    routed = ["Record-Route: <sip:127.0.0.3;lr>, <sip:127.0.0.2:5062>", "Record-Route: <sip:127.0.0.4;lr>"]
    for status in (100, 180, 183):
        line.reply(invite, status, sdp=SDP_ANSWER if status == 183 else "", headers=routed)
    for status in (401, 407):
        line.reply(invite, status, headers=[CHALLENGE, CHALLENGE.replace("WWW", "Proxy").replace("SHA-256", "MD5")])
    for tag in ("a", "b"):
        line.reply(invite, 200, tag=tag, sdp=SDP_ANSWER, headers=routed)
    line.reply(invite, 200, sdp=SDP_ANSWER, contact="<sip:far@192.0.2.1:5060>")
    line.reply(invite, 302, contact='"X, Y" <sip:other@192.0.2.1>;q=0.5')
    line.reply(invite, 486, headers=['Reason: Q.850;cause=17;text="busy, now"'])
    line.reply(invite, 503, headers=["Retry-After: 120 (later)"])
    for number, method in enumerate(
        ("INVITE", "ACK", "UPDATE", "INFO", "OPTIONS", "REFER", "PRACK", "CANCEL", "BYE"), 1
    ):
        for tag in ("a", "far"):
            line.ask(method, invite, sequence=number, tag=tag, sdp=SDP_ANSWER, headers=["Require: x"] * (number == 4))


def conversations() -> list[bytes]:
    """The far end's side of calls, and the torture messages."""
    line = Recorder()
    for leg in range(1, 4):
        line.agent.invite(line.now, order(leg=leg, attempt_id=leg.to_bytes(16, "big"), peer=peer(username="u")), PEER)
    line.agent.adopt(line.now, remembered(leg=9, attempt_id=LATE_ATTEMPT), PEER)
    line.collect()
    own = [message for _, message, _ in line.sent]
    for message in own:
        if message.method == "INVITE":
            said_to(line, message)
        else:
            for status in (200, 481, 487):
                line.reply(message, status)
    line.agent.hang_up(line.now, 1, "operator")
    line.collect()
    return [*line.heard, *(data for _, data, _ in MESSAGES)]


Damage = Callable[[random.Random, bytes], bytes]
NUMBERS = [b"0", b"-1", b"2147483647", b"2147483648", b"4294967296", b"9" * 40, b"9" * 5_000, b"1e9", b"0x10", b"+5"]
PIECES = [
    b"\0", b"\r\n", b"\r\n ", b"\r\n\t", b"\n", b"\r", b'"', b"\\", b"<", b">", b";", b",", b"@", b"[", b"]", b"%00",
    b"\xff\xfe", "é大😀\u202e".encode(), b"\xc0\x80", b";tag=", b";branch=", b"sip:", b"Via: ,\r\n", b";;,,;",
]  # fmt: skip


def _at(chance: random.Random, data: bytes) -> int:
    return chance.randrange(len(data) + 1)


def flip(chance: random.Random, data: bytes) -> bytes:
    """Some bytes are others."""
    changed = bytearray(data)
    for _ in range(chance.randint(1, 8)):
        if changed:
            changed[chance.randrange(len(changed))] = chance.randrange(256)
    return bytes(changed)


def cut(chance: random.Random, data: bytes) -> bytes:
    """The end, or the beginning, is missing."""
    at = _at(chance, data)
    return data[:at] if chance.random() < 0.8 else data[at:]


def put_in(chance: random.Random, data: bytes) -> bytes:
    """Pieces that mean something to a parser, anywhere."""
    for _ in range(chance.randint(1, 3)):
        at = _at(chance, data)
        data = data[:at] + chance.choice(PIECES) * chance.choice((1, 1, 2, 50)) + data[at:]
    return data


def _lines(data: bytes) -> tuple[list[bytes], bytes]:
    head, _, body = data.partition(b"\r\n\r\n")
    return head.split(b"\r\n"), body


def _joined(lines: list[bytes], body: bytes) -> bytes:
    return b"\r\n".join(lines) + b"\r\n\r\n" + body


def double(chance: random.Random, data: bytes) -> bytes:
    """A header comes more than once, perhaps often."""
    lines, body = _lines(data)
    at = chance.randrange(len(lines))
    return _joined([*lines[: at + 1], *[lines[at]] * chance.choice((1, 2, 40, 200)), *lines[at + 1 :]], body)


def drop(chance: random.Random, data: bytes) -> bytes:
    """A header is missing."""
    lines, body = _lines(data)
    del lines[chance.randrange(len(lines))]
    return _joined(lines, body)


def swap(chance: random.Random, data: bytes) -> bytes:
    """The headers come in another order."""
    lines, body = _lines(data)
    rest = lines[1:]
    chance.shuffle(rest)
    return _joined([lines[0], *rest], body)


def fold(chance: random.Random, data: bytes) -> bytes:
    """A header goes on over many lines."""
    lines, body = _lines(data)
    at = chance.randrange(len(lines))
    cut_at = chance.randrange(len(lines[at]) + 1)
    pieces = b"\r\n " * chance.choice((1, 3, 500)) + b"\t" * chance.choice((0, 1, 100))
    lines[at] = lines[at][:cut_at] + pieces + lines[at][cut_at:]
    return _joined(lines, body)


def value(chance: random.Random, data: bytes) -> bytes:
    """A header has another's value, none, or a very long one."""
    lines, body = _lines(data)
    at = chance.randrange(len(lines))
    name = lines[at].partition(b":")[0]
    other = chance.choice(lines).partition(b":")[2]
    lines[at] = (
        name + b":" + chance.choice((b"", b" ", b" ,", other, b' "' * 300, b"<" * 300, b" a" * 2_000, b"\xff" * 99))
    )
    return _joined(lines, body)


def number(chance: random.Random, data: bytes) -> bytes:
    """A number is huge, negative or none."""
    lines, body = _lines(data)
    at = chance.randrange(len(lines))
    digits = re.findall(rb"\d+", lines[at])
    if digits:
        lines[at] = lines[at].replace(chance.choice(digits), chance.choice(NUMBERS), 1)
    return _joined(lines, body)


def lie(chance: random.Random, data: bytes) -> bytes:
    """Content-Length says something else."""
    lines, body = _lines(data)
    kept = [line for line in lines if not line.lower().startswith((b"content-length", b"l:"))]
    return _joined([*kept, b"Content-Length: " + chance.choice([*NUMBERS, b"%d" % max(0, len(body) - 1)])], body)


def splice(chance: random.Random, data: bytes) -> bytes:
    """The head of this and the tail of itself again: two messages in one."""
    return data[: _at(chance, data)] + data[_at(chance, data) :]


def blow_up(chance: random.Random, data: bytes) -> bytes:
    """A datagram as big as they come."""
    lines, body = _lines(data)
    at = chance.randrange(len(lines))
    piece = chance.choice((b",", b"<,", b'",', b";a", b" \t", b"\r\n x", b"%", b"\\", b";lr>,<sip:a", b"\0"))
    lines[at] += piece * (chance.choice((3_000, 7_900, BIG)) // len(piece))
    return _joined(lines, body)


COMMON: list[Damage] = [flip, cut, put_in, double, drop, swap, fold, value, number, lie, splice]
RARE: list[Damage] = [blow_up]


def damaged(chance: random.Random, data: bytes) -> bytes:
    """One to four damages; one message in sixteen is left whole, one in fifty is blown up."""
    dice = chance.random()
    if dice < 1 / 16:
        return data
    if dice > 0.98:
        data = chance.choice(RARE)(chance, data)
    for _ in range(chance.choice((1, 1, 1, 2, 3, 4))):
        data = chance.choice(COMMON)(chance, data)
    return data
