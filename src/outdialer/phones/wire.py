"""Between the phones and the socket: what comes in and goes out is booked here, and lost here."""

import hashlib
from collections.abc import Callable

from outdialer.domain.units import Instant
from outdialer.phones.call import Address, PhoneCall
from outdialer.phones.ledger import Ledger, MessageLine
from outdialer.phones.message import Message
from outdialer.phones.safety import Fence


class Wire:
    """Books each message, decides which are lost, and queues what is to be sent."""

    def __init__(self, ledger: Ledger, fence: Fence, now: Callable[[], Instant], seed: int) -> None:
        self.now = now
        self.outbox: list[tuple[bytes, Address]] = []
        self.forbidden = 0
        """Datagrams that were not sent because of where they would have gone."""
        self._ledger, self._fence, self._seed = ledger, fence, seed

    def lost(self, call: PhoneCall) -> bool:
        """Whether the next datagram of this call is lost. Each call of this function is one datagram."""
        share = call.behaviour.loss
        if share == 0.0:
            return False
        call.datagrams += 1
        text = f"{self._seed}|{call.call_id}|{call.datagrams}".encode()
        draw = int.from_bytes(hashlib.blake2b(text, digest_size=4).digest(), "big")
        return draw < share * 2**32

    def heard(
        self,
        message: Message,
        source: Address,
        at: Instant,
        call: PhoneCall | None = None,
        *,
        retransmission: bool = False,
        lost: bool = False,
        problem: str = "",
    ) -> None:
        """Book a message that came in."""
        if call is not None and problem:
            call.problems.append(problem)
        if self._ledger.wanted:
            self._book(
                "in", message, source, at, call, message.status, message.to_header, retransmission, lost, problem
            )

    def unreadable(self, source: Address, at: Instant, why: str) -> None:
        """Book a datagram that is no SIP message."""
        self._ledger.add(
            MessageLine(at=at, direction="in", source=f"{source[0]}:{source[1]}", problem=f"unreadable: {why}")
        )

    def respond(
        self,
        request: Message,
        status: int,
        data: bytes,
        to: Address,
        call: PhoneCall | None = None,
        *,
        again: bool = False,
    ) -> None:
        """Send a response to ``request``."""
        lost = call is not None and self.lost(call)
        if self._ledger.wanted:
            to_header = request.to_header if call is None or request.to_tag else call.local_header
            self._book("out", request, to, self.now(), call, status, to_header, again, lost, "")
        if not lost:
            self._queue(data, to)

    def request(self, call: PhoneCall, data: bytes, *, again: bool) -> None:
        """Send the phone's BYE, or send it again."""
        lost = self.lost(call)
        if self._ledger.wanted:
            self._ledger.add(
                MessageLine(
                    at=self.now(),
                    direction="out",
                    method="BYE",
                    call_id=call.call_id,
                    cseq=1,
                    branch=call.bye_branch,
                    from_header=call.local_header,
                    to_header=call.remote_header,
                    number=call.number,
                    source=f"{call.bye_to[0]}:{call.bye_to[1]}",
                    retransmission=again,
                    lost=lost,
                )
            )
        if not lost:
            self._queue(data, call.bye_to)

    def _queue(self, data: bytes, to: Address) -> None:
        if self._fence.allows(to[0]) and 0 < to[1] < 65_536:
            self.outbox.append((data, to))
        else:
            self.forbidden += 1

    def _book(
        self,
        direction: str,
        message: Message,
        other: Address,
        at: Instant,
        call: PhoneCall | None,
        status: int,
        to_header: str,
        retransmission: bool,
        lost: bool,
        problem: str,
    ) -> None:
        self._ledger.add(
            MessageLine(
                at=at,
                direction=direction,
                method=message.method,
                status=status,
                call_id=message.call_id,
                cseq=message.cseq,
                branch=message.branch,
                from_header=message.from_header,
                to_header=to_header,
                number="" if call is None else call.number,
                source=f"{other[0]}:{other[1]}",
                retransmission=retransmission,
                lost=lost,
                problem=problem,
            )
        )
