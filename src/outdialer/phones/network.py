"""The phone network on a socket and an event loop."""

import asyncio
import socket
from collections.abc import Callable
from pathlib import Path

from outdialer.carriers.simulator.behaviours import MIXES, Behaviour, Mix, Rule, behaviour_for, scaled
from outdialer.domain.units import Instant
from outdialer.phones.audio import AudioRoom, DeafRoom, ListeningRoom
from outdialer.phones.callee import Callee, Counters, TimerValues
from outdialer.phones.datagrams import open_socket, read, wall_clock
from outdialer.phones.digest import Credentials
from outdialer.phones.ledger import Ledger, Line, Listener
from outdialer.phones.safety import Fence
from outdialer.phones.switchboard import Switchboard
from outdialer.phones.timers import Timers
from outdialer.phones.wire import Wire

_RECEIVE_BUFFER = 4 * 1024 * 1024
_BATCH = 200
"""Datagrams read before what they caused is sent."""


class PhoneNetwork:
    """Phones that answer real SIP over UDP.

    Args:
        host: address to bind; only loopback addresses unless ``live``.
        port: port to bind; 0 finds a free one.
        rules: asked before those of ``mix``.
        mix: the population; by default every phone answers and listens.
        seed: of everything that looks random.
        log_path: the JSON Lines file (``outdialer.phones.ledger``), appended to; None for none.
        audio: whether phones listen; without, all calls share one port that nobody reads.
        talk: whether phones send audio while a call is up.
        live: whether addresses off this machine may be bound and sent to.
        time_percent: scales all times of the behaviours; 10 is ten times faster.
        record_route: whether the phones add a Record-Route of their own, as behind a proxy.
        remember: how many of the last lines ``wait_for`` looks back on.

    Raises:
        NotLoopback: ``host`` is not a loopback address and ``live`` is not set, or is a name or a wildcard.
    """

    def __init__(
        self,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        rules: tuple[Rule, ...] = (),
        mix: Mix = MIXES["answer"],
        seed: int = 0,
        log_path: Path | None = None,
        audio: bool = True,
        talk: bool = False,
        live: bool = False,
        time_percent: int = 100,
        record_route: bool = False,
        remember: int = 1_000,
        credentials: Credentials | None = None,
        timer_values: TimerValues | None = None,
        now: Callable[[], Instant] = wall_clock,
    ) -> None:
        self._fence = Fence(live=live)
        self._fence.require(host)
        self._bind = (host, port)
        self._mix, self._seed, self._time_percent = mix.with_rules(rules), seed, time_percent
        self._log_path, self._now = log_path, now
        self._ledger = Ledger(remember)
        self._audio, self._talk, self._record_route = audio, talk, record_route
        self._credentials = credentials or Credentials()
        self._timer_values = timer_values or TimerValues()
        self._counters = Counters()
        self._socket: socket.socket | None = None
        self._alarm: asyncio.TimerHandle | None = None
        self._alarm_at = float("inf")
        self.address: tuple[str, int] = (host, port)
        """Where the phones are reached, once started."""
        self.unsent = 0
        """Datagrams that the kernel did not take; SIP's retransmissions make up for them."""

    @property
    def counters(self) -> Counters:
        """All numbers."""
        return self._counters

    @property
    def invites(self) -> int:
        """INVITE requests received, without retransmissions."""
        return self._counters.invites

    @property
    def answered(self) -> int:
        """Calls answered."""
        return self._counters.answered

    @property
    def live(self) -> int:
        """Calls ringing or up now."""
        return self._counters.live

    @property
    def max_live(self) -> int:
        """The most calls that were ringing or up at one time."""
        return self._counters.max_live

    @property
    def remembered(self) -> int:
        """Calls in memory, ended ones included."""
        return self._switchboard.remembered

    @property
    def forbidden(self) -> int:
        """Datagrams that were not sent because of where they would have gone."""
        return self._wire.forbidden

    async def start(self) -> None:
        """Bind and serve.

        Raises:
            OSError: the address cannot be bound or the log not opened.
        """
        self._loop = asyncio.get_running_loop()
        opened = open_socket(*self._bind, _RECEIVE_BUFFER)
        try:
            if self._log_path is not None:
                self._ledger.open(self._log_path)
        except OSError:
            opened.close()
            raise
        self._socket = opened
        self.address = opened.getsockname()[:2]
        self._timers = Timers(self._loop.time)
        self._wire = Wire(self._ledger, self._fence, self._now, self._seed)
        self._room = self._audio_room()
        self._callee = Callee(
            self._wire,
            self._timers,
            self._ledger,
            self._room,
            values=self._timer_values,
            credentials=self._credentials,
            seed=self._seed,
            record_route=self._record_route,
        )
        self._callee.local = self.address
        self._counters = self._callee.counters
        linger_ms = self._timer_values.linger_ms
        self._switchboard = Switchboard(self._wire, self._timers, self._callee, self._behaviour_of, linger_ms)
        self._loop.add_reader(opened, self._readable, opened)

    def _audio_room(self) -> AudioRoom:
        if not self._audio:
            return DeafRoom(self.address[0])
        return ListeningRoom(self.address[0], self._loop, self._timers, self._fence, talkative=self._talk)

    def _behaviour_of(self, number: str, try_number: int) -> Behaviour:
        behaviour = behaviour_for(number, try_number, self._seed, self._mix)
        return behaviour if self._time_percent == 100 else scaled(behaviour, self._time_percent)

    async def stop(self) -> None:
        """Write the summaries of calls still up, close everything. Nothing is sent. Harmless when stopped."""
        if self._socket is None:
            return
        self._loop.remove_reader(self._socket)
        if self._alarm is not None:
            self._alarm.cancel()
        self._switchboard.close()
        self._timers.clear()
        self._room.shut()
        self._socket.close()
        self._socket = None
        self._ledger.close()

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """Call ``listener`` with every line of the log from now on; the result ends that."""
        self._ledger.listeners.append(listener)
        return lambda: self._ledger.listeners.remove(listener)

    async def wait_for(self, wanted: Callable[[Line], bool], *, count: int = 1, timeout_s: float = 20.0) -> list[Line]:
        """The first ``count`` lines that are ``wanted``, remembered ones included, as soon as they are there.

        Raises:
            TimeoutError: they did not come within ``timeout_s`` seconds.
        """
        found = [line for line in self._ledger.recent if wanted(line)][:count]
        complete = asyncio.Event()

        def listen(line: Line) -> None:
            if len(found) < count and wanted(line):
                found.append(line)
            if len(found) >= count:
                complete.set()

        if len(found) >= count:
            return found
        unsubscribe = self.subscribe(listen)
        try:
            async with asyncio.timeout(timeout_s):
                await complete.wait()
        finally:
            unsubscribe()
        return found

    def hang_up(self, call_id: str) -> bool:
        """Make the phone end an answered call now; False when there is none with this Call-ID."""
        call = self._switchboard.call_of(call_id)
        if call is None:
            return False
        self._callee.hang_up(call)
        self._flush()
        return True

    def _readable(self, opened: socket.socket) -> None:
        receive = self._switchboard.receive
        for _ in range(_BATCH):
            datagram = read(opened)
            if datagram is None:
                break
            receive(*datagram)
        self._flush()

    def _wake(self) -> None:
        self._alarm, self._alarm_at = None, float("inf")
        self._timers.run_due()
        self._flush()

    def _flush(self) -> None:
        """First the books, then the wire: what cannot be booked is not sent. Then the alarm for the next timer."""
        try:
            self._ledger.flush()
            self._send()
        finally:
            self._set_alarm()

    def _send(self) -> None:
        outbox = self._wire.outbox
        if self._socket is None:
            return
        for data, address in outbox:
            try:
                self._socket.sendto(data, address)
            except OSError:
                self.unsent += 1
        outbox.clear()

    def _set_alarm(self) -> None:
        due = self._timers.next_due()
        if due is None or due >= self._alarm_at:
            return
        if self._alarm is not None:
            self._alarm.cancel()
        self._alarm_at = due
        self._alarm = self._loop.call_at(due, self._wake)
