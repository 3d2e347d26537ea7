"""Compares the two ledgers of a run by Call-ID: the attempts on the books, and the INVITEs that the network saw."""

import json
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

from msgspec import Struct

from outdialer.domain.model import CampaignCall
from outdialer.domain.outcome import UNKNOWN

SHOWN = 5


class Differences(Struct, frozen=True, kw_only=True):
    """What one ledger has and the other has not."""

    invites: int
    """Call-IDs that the network saw."""
    attempts: int
    not_sent: int
    unknown: int
    without_attempt: tuple[str, ...] = ()
    """Call-IDs that the network saw and the books do not have."""
    without_invite: tuple[str, ...] = ()
    """Attempts that should have an INVITE and have none."""
    repeated: tuple[str, ...] = ()
    """Call-IDs that stand twice on the books, or had more than one INVITE (not counting one after a challenge)."""

    @property
    def equal(self) -> bool:
        """Whether every INVITE has exactly one attempt and the other way round."""
        return not (self.without_attempt or self.without_invite or self.repeated)

    def __str__(self) -> str:
        head = (
            f"{self.invites} INVITEs on the wire, {self.attempts} attempts on the books "
            f"({self.not_sent} not sent, {self.unknown} unknown): "
        )
        if self.equal:
            return head + "they agree"
        lines = [head + "they DIFFER"]
        for text, call_ids in (
            ("on the wire but not on the books", self.without_attempt),
            ("on the books but not on the wire", self.without_invite),
            ("more than once", self.repeated),
        ):
            if call_ids:
                lines.append(f"  {len(call_ids)} {text}: {', '.join(call_ids[:SHOWN])}")
        return "\n".join(lines)


def initial_invites(log: Path) -> Iterator[tuple[str, str]]:
    """(Call-ID, branch) of every INVITE without a To tag that the network's log holds, retransmissions left out."""
    with log.open(encoding="utf-8") as lines:
        for line in lines:
            if '"INVITE"' not in line:
                continue
            record = json.loads(line)
            incoming = record.get("event") == "message" and record["dir"] == "in" and record["method"] == "INVITE"
            if incoming and not record["status"] and not record["retransmission"] and ";tag=" not in record["to"]:
                yield record["call_id"], record["branch"]


def compare(attempts: Iterable[tuple[str, CampaignCall]], invites: Iterable[tuple[str, str]]) -> Differences:
    """Hold the books, each attempt with its Call-ID, against the wire.

    An attempt that was not sent must have no INVITE; an unknown one may or may not have one; every other one must
    have one, or two when the first was challenged (the second has another branch and the same Call-ID).
    """
    seen = Counter(call_id for call_id, _ in set(invites))
    booked: Counter[str] = Counter()
    missing, not_sent, unknown = [], 0, 0
    for call_id, attempt in attempts:
        booked[call_id] += 1
        not_sent += not attempt.charged
        unknown += attempt.hangup_detail == UNKNOWN
        expected = attempt.charged and attempt.hangup_detail != UNKNOWN
        if expected and call_id not in seen:
            missing.append(call_id)
        if not attempt.charged and call_id in seen:
            booked[call_id] += 1
    return Differences(
        invites=len(seen),
        attempts=booked.total(),
        not_sent=not_sent,
        unknown=unknown,
        without_attempt=tuple(call_id for call_id in seen if call_id not in booked),
        without_invite=tuple(missing),
        repeated=tuple(call_id for call_id in seen | booked if booked[call_id] > 1 or seen[call_id] > 2),
    )
