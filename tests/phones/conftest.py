"""A caller written by hand for these tests: it knows nothing of the phones' code but where they listen."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from outdialer.phones.network import PhoneNetwork

PATIENCE_S = 20.0

StartPhones = Callable[..., Awaitable[PhoneNetwork]]
StartCaller = Callable[..., Awaitable["Caller"]]


class Heard:
    """One message as it came."""

    def __init__(self, datagram: bytes) -> None:
        self.datagram = datagram
        head, _, self.body = datagram.decode().partition("\r\n\r\n")
        self.start, *lines = head.split("\r\n")
        self.fields = [(name.lower(), value.strip()) for name, _, value in (line.partition(":") for line in lines)]
        self.status = int(self.start.split()[1]) if self.start.startswith("SIP/2.0") else 0
        self.method = self.all("cseq")[0].split()[1]

    def all(self, name: str) -> list[str]:
        return [value for key, value in self.fields if key == name]

    def first(self, name: str) -> str:
        return self.all(name)[0]

    @property
    def to_tag(self) -> str:
        return self.first("to").partition(";tag=")[2]

    @property
    def contact(self) -> str:
        return self.first("contact").strip("<>")


class Caller(asyncio.DatagramProtocol):
    """A UDP socket that sends requests and waits for messages."""

    def __init__(self, phones: tuple[str, int]) -> None:
        self.phones = phones
        self.address = ("", 0)
        self.heard: list[Heard] = []
        self._waiting: list[Heard] = []
        self._news = asyncio.Event()
        self._attempts = 0

    def connection_made(self, transport: Any) -> None:
        self.transport = transport
        self.address = transport.get_extra_info("sockname")

    def datagram_received(self, data: bytes, addr: Any) -> None:
        message = Heard(data)
        self.heard.append(message)
        self._waiting.append(message)
        self._news.set()

    def send(self, text: str) -> None:
        self.transport.sendto(text.encode(), self.phones)

    async def next(self, status: int = 0, method: str = "INVITE") -> Heard:
        """The next message with this status (0: a request) and method that was not taken yet."""
        async with asyncio.timeout(PATIENCE_S):
            while True:
                for message in self._waiting:
                    if message.status == status and message.method == method:
                        self._waiting.remove(message)
                        return message
                self._news.clear()
                await self._news.wait()

    def attempt(self, number: str = "+12025550123", **options: Any) -> Attempt:
        self._attempts += 1
        return Attempt(self, number, self._attempts, **options)


class Attempt:
    """One INVITE and what follows it."""

    def __init__(
        self,
        caller: Caller,
        number: str,
        count: int,
        *,
        headers: str = "",
        media_port: int = 40_000,
        codec: str = "0 8",
    ) -> None:
        self.caller, self.number, self.headers = caller, number, headers
        host, port = caller.address
        self.call_id = f"{count}-{port}@test.invalid"
        self.uri = f"sip:{number}@{caller.phones[0]}:{caller.phones[1]}"
        self.local = f"<sip:+12025550100@test.invalid>;tag=c{count}"
        self.contact = f"sip:c@{host}:{port}"
        self.branch = f"z9hG4bKi{count}-{port}"
        self.cseq = 1
        self.body = (
            f"v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n"
            f"m=audio {media_port} RTP/AVP {codec} 101\r\na=rtpmap:101 telephone-event/8000\r\n"
        )

    def request(self, method: str, uri: str, to: str, branch: str, cseq: int, extra: str = "", body: str = "") -> str:
        host, port = self.caller.address
        kind = "Content-Type: application/sdp\r\n" if body else ""
        return (
            f"{method} {uri} SIP/2.0\r\nVia: SIP/2.0/UDP {host}:{port};branch={branch};rport\r\nMax-Forwards: 70\r\n"
            f"From: {self.local}\r\nTo: {to}\r\nCall-ID: {self.call_id}\r\nCSeq: {cseq} {method}\r\n"
            f"Contact: <{self.contact}>\r\n{extra}{kind}Content-Length: {len(body)}\r\n\r\n{body}"
        )

    def invite(self, extra: str = "") -> Attempt:
        to = f"<{self.uri}>"
        self.caller.send(self.request("INVITE", self.uri, to, self.branch, self.cseq, self.headers + extra, self.body))
        return self

    def refusal_ack(self, reply: Heard) -> None:
        self.caller.send(self.request("ACK", self.uri, reply.first("to"), self.branch, self.cseq))

    def in_dialog(self, method: str, reply: Heard, cseq: int, branch: str = "", extra: str = "") -> None:
        routes = "".join(f"Route: {route}\r\n" for route in reversed(reply.all("record-route")))
        branch = branch or f"{self.branch}-{method}-{cseq}"
        self.caller.send(self.request(method, reply.contact, reply.first("to"), branch, cseq, routes + extra))

    def ack(self, reply: Heard) -> None:
        self.in_dialog("ACK", reply, self.cseq)

    def bye(self, reply: Heard) -> None:
        self.in_dialog("BYE", reply, self.cseq + 1)

    def cancel(self) -> None:
        self.caller.send(self.request("CANCEL", self.uri, f"<{self.uri}>", self.branch, self.cseq))

    def answer_bye(self, bye: Heard, status: str = "200 OK") -> None:
        lines = [f"{name}: {value}" for name, value in bye.fields if name in ("via", "from", "to", "call-id", "cseq")]
        self.caller.send("\r\n".join([f"SIP/2.0 {status}", *lines, "Content-Length: 0", "", ""]))

    def with_credentials(self, challenge: Heard, password: str = "fictional", username: str = "outdialer") -> Attempt:
        """The same call again, with an answer to the challenge."""
        name = "www-authenticate" if challenge.status == 401 else "proxy-authenticate"
        pairs = challenge.first(name).partition(" ")[2].split(", ")
        values = {key: value.strip('"') for key, _, value in (pair.partition("=") for pair in pairs)}
        algorithm = values["algorithm"]

        def digest(text: str) -> str:
            return hashlib.new({"MD5": "md5", "SHA-256": "sha256"}[algorithm], text.encode()).hexdigest()

        who = digest(f"{username}:{values['realm']}:{password}")
        what = digest(f"INVITE:{self.uri}")
        response = digest(f"{who}:{values['nonce']}:00000001:abc:auth:{what}")
        header = "Authorization" if challenge.status == 401 else "Proxy-Authorization"
        self.cseq += 1
        self.branch += "a"
        return self.invite(
            f'{header}: Digest username="{username}", realm="{values["realm"]}", nonce="{values["nonce"]}", '
            f'uri="{self.uri}", response="{response}", algorithm={algorithm}, qop=auth, cnonce="abc", nc=00000001\r\n'
        )


@pytest.fixture
async def start_phones() -> AsyncIterator[StartPhones]:
    running: list[PhoneNetwork] = []

    async def start(**options: Any) -> PhoneNetwork:
        network = PhoneNetwork(**options)
        await network.start()
        running.append(network)
        return network

    yield start
    for network in running:
        await network.stop()


@pytest.fixture
async def start_caller() -> AsyncIterator[StartCaller]:
    callers: list[Caller] = []

    async def start(network: PhoneNetwork) -> Caller:
        caller = Caller(network.address)
        await asyncio.get_running_loop().create_datagram_endpoint(lambda: caller, local_addr=("127.0.0.1", 0))
        callers.append(caller)
        return caller

    yield start
    for caller in callers:
        caller.transport.close()


@pytest.fixture
def log_path(tmp_path: Path) -> Path:
    return tmp_path / "phones.jsonl"
