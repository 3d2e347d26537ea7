"""Calls over SIP: the shell that gives the pure user agent its socket, its time and its passwords."""

import asyncio
import logging
import socket
from collections.abc import Coroutine
from pathlib import Path

from msgspec import structs

from outdialer.carriers.sip.core.outputs import Output, Probed, Send
from outdialer.carriers.sip.core.uri import split_host_port
from outdialer.carriers.sip.core.user_agent import UserAgent
from outdialer.carriers.sip.resolver import Resolver
from outdialer.carriers.sip.transport import Address, NonLoopbackRefused, Transport, UdpTransport, is_loopback
from outdialer.ports.carrier import CarrierEvent, DialOrder, EventSink, NotSent, Peer, PeerHealth, RememberedLeg, Sent
from outdialer.ports.clock import Clock

_log = logging.getLogger(__name__)
_MAX_REFUSED_LOGGED = 1_000


class SipCarrier:
    """Implements ``ports.carrier.Carrier`` over one UDP socket."""

    def __init__(
        self,
        *,
        clock: Clock,
        secret: bytes,
        bind: tuple[str, int] = ("127.0.0.1", 0),
        advertise: str | None = None,
        live: bool = False,
        same_address: bool | None = None,
        bound: socket.socket | None = None,
    ) -> None:
        """``secret`` is the install secret that keys every identifier on the wire.

        ``bind`` with port 0 takes any free port. Give a fixed one where calls must be recoverable: after a restart
        on another port no CANCEL reaches a ringing leg, and it is left to the bound (RFC 3261 section 17.2.3).
        ``advertise`` (``host`` or ``host:port``) is what Via and Contact name when it is not what is bound: the
        public address behind a NAT. ``live`` False: no packet leaves the machine (``NonLoopbackRefused``).
        ``same_address``: whether every earlier life was reached at this very address, so that a 481 to its CANCEL
        proves something (RFC 3261 section 17.2.3 matches by sent-by); None: yes where the port is fixed.
        ``bound``: a socket (``transport.bound_socket``) that holds the address already; it is ours from now on.
        """
        self._clock = clock
        self._secret = secret
        self._bind = bind
        self._advertise = advertise
        self._live = live
        self._bound = bound
        self._same_address = bind[1] != 0 if same_address is None else same_address
        self._passwords: dict[str, str] = {}
        self._pending: dict[int, DialOrder | RememberedLeg] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._probes: dict[int, asyncio.Future[int]] = {}
        self._last_probe = 0
        self._refused: set[str] = set()
        self._flushing = False
        self._wake: asyncio.TimerHandle | None = None
        self._wake_at = 0.0
        self._transport: Transport | None = None
        self._loop: asyncio.AbstractEventLoop
        self._resolver: Resolver
        self._agent: UserAgent
        self._sink: EventSink

    @property
    def local_address(self) -> tuple[str, int]:
        """The bound host and port; only while started."""
        return self._open_transport().local_address

    @property
    def agent(self) -> UserAgent:
        """The user agent, for those who count what it holds."""
        return self._agent

    async def start(self, sink: EventSink) -> None:
        """Bind the socket; ``sink`` gets every event from now on.

        Raises:
            OSError: the address cannot be bound (``NonLoopbackRefused``: it may not be, without ``live``).
            ValueError: ``advertise`` is not ``host`` or ``host:port``.
        """
        self._loop = asyncio.get_running_loop()
        self._sink = sink
        family = socket.AF_INET6 if ":" in self._bind[0] else socket.AF_INET
        self._resolver = Resolver(self._loop, family)
        bound, self._bound = self._bound, None
        self._transport = UdpTransport(self._loop, self._bind, self._receive, live=self._live, bound=bound)
        try:
            address = self._advertised(self._transport.local_address)
            self._agent = UserAgent(self._secret, *address, same_address=self._same_address)
        except ValueError:
            self._transport.close()
            raise

    async def stop(self) -> None:
        """Close the socket and stop waiting for anything."""
        if self._bound is not None:
            self._bound.close()
        if self._transport is None:
            return
        self._transport.close()
        self._transport = None
        if self._wake is not None:
            self._wake.cancel()
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._resolver.close()
        for waiting in self._probes.values():
            waiting.cancel()

    def dial(self, order: DialOrder) -> None:
        """Send the INVITE now, or say ``NotSent``: after its deadline, to a name without address, without password."""
        address = self._resolver.known(order.peer.host, order.peer.port)
        if address is not None:
            self._invite(order, address)
        else:
            self._pending[order.leg] = order
            self._start(self._dial_later(order))

    def accept(self, leg: int) -> None:
        """Acknowledge the answer of a leg, now that it is on the books. Other legs are ignored."""
        self._agent.accept(self._loop.time(), leg)
        self._flush()

    def hang_up(self, leg: int, why: str) -> None:
        """End a leg: CANCEL before the answer, BYE after it. Unknown or ended legs are ignored."""
        if self._pending.pop(leg, None) is not None:
            self._tell(NotSent(leg, self._clock.now(), why))
            return
        self._agent.hang_up(self._loop.time(), leg, why)
        self._flush()

    def recover(self, legs: list[RememberedLeg]) -> None:
        """Try to end each leg; ``Ended`` comes only for those confirmed dead by the far end."""
        for remembered in legs:
            address = self._resolver.known(remembered.peer.host, remembered.peer.port)
            if address is not None:
                self._adopt(remembered, address)
            else:
                self._start(self._recover_later(remembered))

    async def probe(self, peer: Peer) -> PeerHealth:
        """Send OPTIONS and wait for any answer, at most 3 s; a name is looked up anew."""
        address = await self._resolver.resolve(peer.host, peer.port, again=True)
        if address is None:
            return PeerHealth(reachable=False, why="unresolved")
        if not self._may_send(address):
            return PeerHealth(reachable=False, why="refused-address")
        self._last_probe = probe = max(self._clock.now(), self._last_probe + 1)
        waiting = self._probes[probe] = self._loop.create_future()
        try:
            self._agent.options(self._loop.time(), probe, peer, address)
            self._flush()
            code = await waiting
        finally:
            del self._probes[probe]
        return PeerHealth(reachable=code > 0, sip_code=code, why="" if code else "no-response")

    # Orders whose peer is a name not looked up yet

    async def _dial_later(self, order: DialOrder) -> None:
        address = await self._resolver.resolve(order.peer.host, order.peer.port)
        if self._pending.pop(order.leg, None) is None:
            return
        if address is None:
            self._not_sent(order, "unresolved")
        else:
            self._invite(order, address)

    async def _recover_later(self, remembered: RememberedLeg) -> None:
        address = await self._resolver.resolve(remembered.peer.host, remembered.peer.port)
        if address is None:
            _log.warning("leg %d cannot be recovered: its peer has no address", remembered.leg)
        else:
            self._adopt(remembered, address)

    def _start(self, work: Coroutine[object, object, None]) -> None:
        task = self._loop.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    # Into the user agent

    def _invite(self, order: DialOrder, address: Address) -> None:
        try:
            password = self._password(order.peer)
            if self._clock.now() > order.send_not_after:
                self._not_sent(order, "deadline")
                return
            self._agent.invite(self._loop.time(), order, address, password)
        except OSError:
            _log.error("the password file of trunk %d cannot be read", order.peer.trunk)
            self._not_sent(order, "password-file")
        except ValueError as error:
            self._not_sent(order, str(error))
        else:
            self._flush()

    def _adopt(self, remembered: RememberedLeg, address: Address) -> None:
        try:
            password = self._password(remembered.peer)
        except OSError:
            password = ""
            _log.error("the password file of trunk %d cannot be read", remembered.peer.trunk)
        try:
            self._agent.adopt(self._loop.time(), remembered, address, password)
        except ValueError as error:
            _log.warning("leg %d cannot be recovered: %s", remembered.leg, error)
        else:
            self._flush()

    def _receive(self, batch: list[tuple[bytes, Address]]) -> None:
        now = self._loop.time()
        for data, source in batch:
            self._agent.receive(now, data, source)
        self._flush()

    def _on_wake(self) -> None:
        self._wake = None
        self._agent.wake(self._loop.time())
        self._flush()

    # Out of the user agent

    def _flush(self) -> None:
        """Send and tell everything the user agent has produced, then arm its next deadline.

        An order that the sink gives meanwhile is carried out in turn, not inside: events keep their order.
        """
        if self._flushing:
            return
        self._flushing = True
        try:
            while outputs := self._agent.take_outputs():
                for output in outputs:
                    self._put_out(output)
        finally:
            self._flushing = False
        self._arm()

    def _put_out(self, output: Output) -> None:
        if isinstance(output, Send):
            self._send(output)
        elif isinstance(output, Probed):
            self._probed(output)
        else:
            self._tell(structs.replace(output, at=self._clock.now()))

    def _tell(self, event: CarrierEvent) -> None:
        """Hand an event on; a sink that raises must not cost other calls their events."""
        try:
            self._sink(event)
        except Exception as error:
            told = type(event).__name__
            self._loop.call_exception_handler({"message": f"the sink failed on {told}", "exception": error})

    def _send(self, packet: Send) -> None:
        try:
            self._open_transport().send(packet.data, packet.address)
        except OSError as error:
            self._unsendable(packet, error)
            return
        if packet.first and packet.leg is not None:
            self._tell(Sent(packet.leg, self._clock.now()))

    def _unsendable(self, packet: Send, error: OSError) -> None:
        """A first INVITE that the kernel did not take was never sent; anything later is resent or ends the leg."""
        refused = isinstance(error, NonLoopbackRefused)
        if refused:
            self._log_refused(packet.address[0])
        if packet.leg is None:
            return
        now = self._loop.time()
        if packet.first:
            self._agent.not_sent(now, packet.leg)
            self._tell(NotSent(packet.leg, self._clock.now(), "refused-address" if refused else "send-failed"))
        elif refused:
            self._agent.unreachable(now, packet.leg)

    def _log_refused(self, host: str) -> None:
        """Once per address: a far end that names it again and again must not fill the log."""
        if host not in self._refused and len(self._refused) < _MAX_REFUSED_LOGGED:
            self._refused.add(host)
            _log.error("a packet to %s was refused: live dialing is not switched on", host)

    def _probed(self, output: Probed) -> None:
        waiting = self._probes.get(output.probe)
        if waiting is not None and not waiting.done():
            waiting.set_result(output.sip_code)

    def _arm(self) -> None:
        """One timer for the earliest deadline; an earlier one already armed just wakes for nothing."""
        deadline = self._agent.next_deadline()
        if deadline is None or self._transport is None:
            return
        if self._wake is not None:
            if self._wake_at <= deadline:
                return
            self._wake.cancel()
        self._wake_at = deadline  # Kept here: the handle of a due timer has no time in uvloop.
        self._wake = self._loop.call_at(deadline, self._on_wake)

    def _not_sent(self, order: DialOrder, why: str) -> None:
        self._tell(NotSent(order.leg, self._clock.now(), why))

    # What orders need

    def _password(self, peer: Peer) -> str:
        """The first line of the peer's password file, read when first needed.

        Raises:
            OSError: the file cannot be read.
        """
        if not peer.username:
            return ""
        known = self._passwords.get(peer.password_file)
        if known is None:
            text = Path(peer.password_file).read_text(encoding="utf-8")
            known = self._passwords[peer.password_file] = text.partition("\n")[0].rstrip("\r")
        return known

    def _may_send(self, address: Address) -> bool:
        return self._live or is_loopback(address[0])

    def _open_transport(self) -> Transport:
        if self._transport is None:
            raise RuntimeError("the carrier is not started")
        return self._transport

    def _advertised(self, local: Address) -> Address:
        if self._advertise is None:
            return local
        found = split_host_port(self._advertise, local[1])
        if found is None:
            raise ValueError("advertise must be host or host:port")
        return found
