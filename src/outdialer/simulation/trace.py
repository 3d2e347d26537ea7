"""What happened in a simulated world, in order: the wire, the commits, the decisions, the troubles.

The checkers read nothing else but this and, at the end, the store's file. The same seed makes the same trace.
"""

import hashlib
from collections.abc import Callable
from typing import Any

from msgspec import Struct

from outdialer.domain.units import MICROSECONDS_PER_SECOND, Instant


class Entry(Struct, frozen=True):
    """One thing that happened."""

    at: Instant
    """Even time, which nobody can set: microseconds since the world began."""
    clock: Instant
    """What the engine's clock said, or the machine's where no engine ran."""
    kind: str
    about: dict[str, Any]

    def __str__(self) -> str:
        facts = " ".join(f"{name}={value}" for name, value in self.about.items())
        return f"{self.at / MICROSECONDS_PER_SECOND:12.6f} {self.clock % 10**12:012d} {self.kind:<12} {facts}"


class Trace:
    """The entries of one world."""

    def __init__(self, even: Callable[[], Instant], clock: Callable[[], Instant]) -> None:
        self._even = even
        self._clock = clock
        self.entries: list[Entry] = []

    def add(self, kind: str, /, **about: Any) -> None:
        """Note what happens now."""
        self.entries.append(Entry(self._even(), self._clock(), kind, about))

    def digest(self) -> str:
        """A hash of everything, in order."""
        text = hashlib.sha256()
        for entry in self.entries:
            text.update(f"{entry}\n".encode())
        return text.hexdigest()


LADDER = {
    "invite": "|--------------->|",
    "cancel": "|--------------->|",
    "ack": "|--------------->|",
    "bye": "|--------------->|",
    "heard": "|<---------------|",
    "far": "|                *|",
    "crash": "X                |",
    "life": "*                |",
}
"""Where an entry stands between the engine (left) and the phones (right); the rest is the engine's own."""


def ladder(entries: list[Entry]) -> str:
    """Entries as people read call flows: the engine on the left, the phones on the right."""
    return "\n".join(f"{LADDER.get(entry.kind, '|                |')} {entry}" for entry in entries)
