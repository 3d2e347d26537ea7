"""What the core hands to its shell: packets to send, and what happened."""

from typing import TypeAlias

from msgspec import Struct

from outdialer.ports.carrier import CarrierEvent

Address: TypeAlias = tuple[str, int]
"""A numeric host and a port."""


class Send(Struct, frozen=True, gc=False):
    """One packet."""

    data: bytes
    address: Address
    leg: int | None = None
    """The leg it speaks for, so that the shell can say when its address is refused."""
    first: bool = False
    """True for the first INVITE of a leg: ``Sent`` or ``NotSent`` is the shell's to say."""


class Probed(Struct, frozen=True):
    """The end of an ``options`` request: its final response, or 0 when none came."""

    probe: int
    sip_code: int


Output: TypeAlias = Send | CarrierEvent | Probed
"""Port events leave the core with ``at=0``: the shell, which owns the clock, stamps them."""
