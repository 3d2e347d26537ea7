"""Audio of a simulated world: the media process dies now and then, and RTP ports run out."""

from collections.abc import Callable

from outdialer.carriers.simulator.media import SimulatorMedia
from outdialer.ports.media import MediaLost, MediaSink, NoRtpPort, RtpPort


class TroubledMedia(SimulatorMedia):
    """The simulated media with troubles of its own."""

    def __init__(self, no_port: Callable[[], bool]) -> None:
        """``no_port``: whether there is none for a call."""
        super().__init__()
        self._no_port = no_port
        self._failing_starts = 0
        self._hear: MediaSink

    async def start(self, sink: MediaSink) -> None:
        """Begin to serve.

        Raises:
            OSError: the process cannot be started yet.
        """
        if self._failing_starts:
            self._failing_starts -= 1
            raise OSError("the media process did not start")
        self._hear = sink
        await super().start(sink)

    def lease(self) -> RtpPort:
        """A port, or none."""
        if self._no_port():
            raise NoRtpPort("every port is in use")
        return super().lease()

    async def lose(self, failing_starts: int) -> None:
        """The process dies, and does not start again so many times."""
        await self.stop()
        self._failing_starts = failing_starts
        self._hear(MediaLost("the media process was killed"))
