"""Symmetric RTP: whose packets are a leg's audio, and where its own go. A pure decision."""

from typing import TypeAlias

Address: TypeAlias = tuple[str, int]

_WINDOW = 50
"""Packets (a second) in which the address signalled in SDP still wins over the one heard first."""


class Latch:
    """Follows the far end to the address it really sends from, once.

    The first valid packet decides, so that a far end behind a NAT is reached. Because anybody may send to an open port,
    nothing can move the leg afterwards, except that the signalled address wins if it speaks within the first packets.
    """

    def __init__(self, signalled: Address) -> None:
        self._signalled = signalled
        self._source: Address | None = None
        self._heard = 0

    def accepts(self, source: Address) -> bool:
        """Whether a valid packet from ``source`` belongs to the leg."""
        if self._source is None:
            self._source = source
        elif source != self._source:
            if source != self._signalled or self._heard >= _WINDOW:
                return False
            self._source = source
        self._heard += 1
        return True

    @property
    def source(self) -> Address | None:
        """Where the leg's audio comes from and goes to; None until something was heard."""
        return self._source
