"""The engine's side of the media process: implements ``ports.media.Media``."""

import asyncio
import ipaddress
import logging
import socket
import sys
from collections import deque
from collections.abc import Sequence
from pathlib import Path
from typing import cast

from outdialer.domain.units import Milliseconds
from outdialer.media import control
from outdialer.media.control import Frames, Granted, Order, Ready, Report, Settings, Totals, Trouble
from outdialer.media.prompts import MOST_BYTES, PromptCache
from outdialer.media.speech import SpeechEngine
from outdialer.ports.carrier import RemoteMedia
from outdialer.ports.media import MediaLost, MediaSink, MediaStatistics, NoRtpPort, PreparedPrompt, Prompt, RtpPort
from outdialer.web.addresses import Network

_START_S = 20.0
_EXIT_S = 1.0
_ANSWER_S = 2.0

log = logging.getLogger(__name__)


class MediaProcess:
    """Audio through a child process that does all RTP.

    Args:
        cache_dir: where rendered prompts are kept; made when it is missing.
        cache_bytes: what they may take there all together.
        address: local IP address the RTP ports are bound to; a loopback address unless ``live``.
        port_range: first and last UDP port that may be used (only even ones are), or None for any that are free.
        live: allow audio to and from addresses that are not loopback, and prompts from public hosts instead of this
            machine.
        networks: where prompts may be fetched from when live, though the addresses are not public.
        sounds: the folder that prompts' files must be in; None: no file is played.
        speech: the speech engines in order of preference; None: whichever this machine has.
        quarantine_ms: how long the port of a closed leg stays bound and unused.
        reserve: how many ports to hold ready for ``lease``. Let it exceed the largest claim.

    Orders given while no process runs are dropped: ``MediaLost`` has told that no leg has audio any more.

    Raises:
        ValueError: an address or port range that cannot be used.
    """

    def __init__(
        self,
        *,
        cache_dir: Path,
        cache_bytes: int = MOST_BYTES,
        address: str = "127.0.0.1",
        port_range: tuple[int, int] | None = None,
        live: bool = False,
        networks: tuple[Network, ...] = (),
        sounds: Path | None = Path("/"),
        speech: Sequence[SpeechEngine] | None = None,
        quarantine_ms: Milliseconds = 5_000,
        reserve: int = 1_024,
    ) -> None:
        if not live and not ipaddress.ip_address(address).is_loopback:
            raise ValueError(f"RTP address {address} is not a loopback address; that needs an explicit live mode")
        if port_range is not None and not 0 < port_range[0] <= port_range[1] < 65536:
            raise ValueError(f"RTP port range {port_range[0]}-{port_range[1]} is not within 1-65535")
        self._settings = Settings(
            cache_dir=str(cache_dir.absolute()),
            address=address,
            port_range=port_range,
            live=live,
            quarantine_ms=quarantine_ms,
        )
        self._prompts = PromptCache(
            cache_dir, live=live, engines=speech, networks=networks, sounds=sounds, cache_bytes=cache_bytes
        )
        self._reserve = reserve
        self._line: _Line | None = None
        self._last = MediaStatistics()

    async def start(self, sink: MediaSink) -> None:
        """Start the process and wait until ports can be leased; also after ``MediaLost``, to have audio again.

        Raises:
            RuntimeError: it runs already.
            OSError: the process cannot be started or cannot bind its address.
        """
        if self._line is not None and not self._line.lost:
            raise RuntimeError("the media process is running already")
        line = _Line(self._settings, sink, self._reserve)
        await line.start()
        self._line = line

    async def stop(self) -> None:
        """Stop all audio and free every port; returns when the process is gone."""
        line, self._line = self._line, None
        if line is not None:
            await line.stop()

    @property
    def pid(self) -> int | None:
        """The process's id while it runs."""
        return None if self._line is None or self._line.lost else self._line.pid

    async def prepare(self, prompt: Prompt) -> PreparedPrompt:
        """Render a prompt into the cache, or find it there. Needs no running process.

        Raises:
            PromptError: the message says why and what would help.
        """
        return await self._prompts.prepare(prompt)

    def lease(self) -> RtpPort:
        """Take a bound port, without a round trip.

        Raises:
            NoRtpPort: none is ready: the channels exceed the port range, or no process runs.
        """
        if self._line is None or self._line.lost:
            raise NoRtpPort("the media process is not running")
        port = self._line.lease()
        if port is None:
            raise NoRtpPort(f"no RTP port is free on {self._settings.address} (range: {_spoken(self._settings)})")
        return RtpPort(self._settings.address, port)

    def release(self, port: RtpPort) -> None:
        """Give back a port whose leg was never opened; early media may still reach it, so it rests as well."""
        self._send(control.ReturnPort(port.port))

    def open(self, leg: int, port: RtpPort, remote: RemoteMedia) -> None:
        """Connect a leg's audio, or tell an open leg that its far end moved. Nothing is sent until something plays."""
        self._send(control.OpenLeg(leg, port.port, remote))

    def play(self, leg: int, order: int, keys: list[str]) -> None:
        """Play prepared prompts one after the other, after what the leg plays already.

        Every order is answered by exactly one ``PlaybackFinished``: when its last frame was sent, when it was cut
        (``silence``, ``join``, ``close``), or at once when it cannot be played.
        """
        self._send(control.Play(leg, order, keys))

    def silence(self, leg: int) -> None:
        """Stop what is playing on the leg, and what is queued."""
        self._send(control.Silence(leg))

    def join(self, leg: int, other: int) -> None:
        """Let two open legs hear each other; playing stops on both. What is played later on one covers the other."""
        self._send(control.Join(leg, other))

    def record(self, leg: int, path: str) -> None:
        """Write what the far end says to an 8 kHz 16-bit mono WAV file from now until ``close``."""
        self._send(control.Record(leg, str(Path(path).absolute())))

    def close(self, leg: int) -> None:
        """End a leg's audio; its port rests for the quarantine."""
        self._send(control.CloseLeg(leg))

    async def statistics(self) -> MediaStatistics:
        """Totals since the process started; those last seen when it does not run or answer within 2 s."""
        if self._line is not None:
            self._last = await self._line.statistics(self._last)
        return self._last

    def _send(self, order: Order) -> None:
        if self._line is not None:
            self._line.send(order)


def _spoken(settings: Settings) -> str:
    return "any" if settings.port_range is None else f"{settings.port_range[0]}-{settings.port_range[1]}, even ports"


class _Line(asyncio.Protocol):
    """One life of the process: its socket, its ports and its end."""

    def __init__(self, settings: Settings, sink: MediaSink, reserve: int) -> None:
        self._settings = settings
        self._sink = sink
        self._reserve = reserve
        self._frames = Frames()
        self._ports: deque[int] = deque()
        self._outstanding = 0
        self._questions: dict[int, asyncio.Future[MediaStatistics]] = {}
        self._asked = 0
        self._transport: asyncio.Transport | None = None
        self._process: asyncio.subprocess.Process | None = None
        self._watcher: asyncio.Task[None] | None = None
        self._ready: asyncio.Future[str] | None = None
        self._stopping = False
        self.lost = False

    @property
    def pid(self) -> int | None:
        return None if self._process is None else self._process.pid

    async def start(self) -> None:
        loop = asyncio.get_running_loop()
        self._ready = loop.create_future()
        ours, theirs = socket.socketpair()
        try:
            with theirs:
                self._process = await asyncio.create_subprocess_exec(
                    sys.executable,
                    *("-P", "-m", "outdialer.media.process", str(theirs.fileno())),
                    stdin=asyncio.subprocess.DEVNULL,
                    pass_fds=(theirs.fileno(),),
                    start_new_session=True,
                )
            ours.setblocking(False)
            await loop.create_unix_connection(lambda: self, sock=ours)
        except BaseException:
            ours.close()
            raise
        self._watcher = loop.create_task(self._watch(self._process))
        await self._until_ready()

    async def _until_ready(self) -> None:
        assert self._ready is not None
        self.send(self._settings)
        try:
            async with asyncio.timeout(_START_S):
                trouble = await self._ready
        except TimeoutError:
            trouble = f"the media process was not ready within {_START_S:.0f} s"
        except asyncio.CancelledError:
            await self.stop()
            raise
        if trouble:
            await self.stop()
            raise OSError(trouble)

    async def stop(self) -> None:
        self._stopping = True
        if self._transport is not None:
            self._transport.abort()
        if self._process is not None and self._watcher is not None:
            try:
                await asyncio.wait_for(asyncio.shield(self._watcher), _EXIT_S)
            except TimeoutError:
                self._kill()
                await self._watcher

    def send(self, order: Order) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(control.frame(order))

    def lease(self) -> int | None:
        port = self._ports.popleft() if self._ports else None
        if len(self._ports) + self._outstanding <= self._reserve * 3 // 4:  # A burst must not outrun the answer.
            self._refill()
        return port

    async def statistics(self, known: MediaStatistics) -> MediaStatistics:
        if self.lost:
            return known
        self._asked += 1
        number = self._asked
        answer: asyncio.Future[MediaStatistics] = asyncio.get_running_loop().create_future()
        self._questions[number] = answer
        self.send(control.Count(number))
        try:
            async with asyncio.timeout(_ANSWER_S):
                return await answer
        except (ConnectionError, TimeoutError):
            return known
        finally:
            self._questions.pop(number, None)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's does not call itself one.

    def data_received(self, data: bytes) -> None:
        for body in self._frames.feed(data):
            self._take(control.reports.decode(body))

    def connection_lost(self, exc: Exception | None) -> None:
        if not self._stopping:
            self._kill()  # Without its control socket it must not go on, whatever state it is in.

    def _take(self, report: Report) -> None:
        match report:
            case Granted(ports=ports):
                self._ports.extend(ports)
                self._outstanding -= len(ports)
                self._settle("")
            case Ready(trouble=trouble):
                if trouble:
                    self._settle(trouble)
                else:
                    self._refill()
            case Totals(number=number, statistics=statistics):
                answer = self._questions.get(number)
                if answer is not None and not answer.done():
                    answer.set_result(statistics)
            case Trouble(what=what):
                log.warning("media: %s", what)
            case _:
                if not self._stopping:
                    self._sink(report)

    def _refill(self) -> None:
        count = self._reserve - len(self._ports) - self._outstanding
        self._outstanding += count
        self.send(control.WantPorts(count))

    def _settle(self, trouble: str) -> None:
        if self._ready is not None and not self._ready.done():
            self._ready.set_result(trouble)

    def _kill(self) -> None:
        if self._process is not None and self._process.returncode is None:
            self._process.kill()

    async def _watch(self, process: asyncio.subprocess.Process) -> None:
        """Wait for the end of the process and tell it, once, unless we asked for it."""
        status = await process.wait()
        self.lost = True
        self._ports.clear()
        if self._transport is not None:
            self._transport.close()
        for answer in self._questions.values():
            if not answer.done():
                answer.set_exception(ConnectionResetError("the media process ended"))
        started = self._ready is not None and self._ready.done()
        self._settle(f"the media process ended at its start (status {status})")
        if started and not self._stopping:
            self._sink(MediaLost(f"the media process ended (status {status})"))
