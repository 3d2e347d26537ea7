"""What a person sees while a campaign runs, and the summary at its end."""

import asyncio
import sys
from collections.abc import Awaitable, Callable
from typing import Self

from rich.console import Console
from rich.live import Live
from rich.table import Table

from outdialer.cli.exits import plain
from outdialer.client import AsyncClient
from outdialer.client.resources.campaigns import CampaignStats

POLL_S = 0.5
PLAIN_EVERY_S = 5.0
"""How often a line is printed where there is no terminal."""
SETTLED_S = 10.0
"""From when on a pace is worth a forecast."""


class Progress:
    """Follows one campaign's statistics."""

    def __init__(self, client: AsyncClient, campaign_id: str, title: str) -> None:
        self._client = client
        self._campaign_id = campaign_id
        self._title = title
        self._console = Console(file=sys.stdout, highlight=False, markup=False)
        self._live: Live | None = None
        self._loop = asyncio.get_running_loop()
        self._started = self._loop.time()
        self._printed = -PLAIN_EVERY_S
        self._first: CampaignStats | None = None

    def __enter__(self) -> Self:
        if self._console.is_terminal:
            self._live = Live(console=self._console, refresh_per_second=4, transient=True)
            self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._live is not None:
            self._live.stop()

    async def until_stopped(
        self,
        interrupted: asyncio.Event,
        look: Callable[[CampaignStats], str],
        also: Callable[[], Awaitable[None]] | None = None,
    ) -> str:
        """Show the campaign until it stops by itself (""), is interrupted, or ``look`` gives a reason to end.

        ``also`` is done at every look.
        """
        while True:
            if also is not None:
                await also()
            campaign = await self._client.campaigns.get(self._campaign_id)
            stats = await self._client.campaigns.get_stats(self._campaign_id)
            self._show(stats)
            if campaign.status == "stop":
                return ""
            reason = look(stats)
            if reason or interrupted.is_set():
                return reason or "interrupted"
            await _first_of(interrupted, POLL_S)

    def _show(self, stats: CampaignStats) -> None:
        elapsed = self._loop.time() - self._started
        self._first = self._first or stats
        pace = Pace(self._first, stats, elapsed)
        if self._live is not None:
            self._live.update(_table(self._title, stats, pace))
        elif self._loop.time() - self._printed >= PLAIN_EVERY_S:
            self._printed = self._loop.time()
            print(_line(stats, pace), flush=True)


async def _first_of(event: asyncio.Event, seconds: float) -> None:
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        return


def _done(stats: CampaignStats) -> int:
    return sum(stats.targets_done.values())


def _total(stats: CampaignStats) -> int:
    return int(stats.targets_idle + stats.targets_progressing + _done(stats))


def _failed(stats: CampaignStats) -> str:
    return ", ".join(f"{reason} {count}" for reason, count in sorted(stats.failed.items()) if count) or "none"


class Pace:
    """How fast a campaign goes since somebody watches it; what was done before does not count.

    Args:
        first: what was known when the watching began.
        now: what is known now.
        elapsed: seconds in between.
    """

    def __init__(self, first: CampaignStats, now: CampaignStats, elapsed: float) -> None:
        self.elapsed = elapsed
        self.attempts_per_s = (now.attempts - first.attempts) / elapsed if elapsed > 1 else 0.0
        self._done = _done(now) - _done(first)
        self._todo = _total(now) - _done(now)

    @property
    def left(self) -> str:
        """When everybody will be done. The first people are done only when their calls are over: before
        ``SETTLED_S`` a pace would be far too low."""
        if not self._todo:
            return "0 s"
        if self._done < 5 or self.elapsed < SETTLED_S:
            return "not known yet"
        return f"{self._todo * self.elapsed / self._done:.0f} s"


def _line(stats: CampaignStats, pace: Pace) -> str:
    ringing = stats.ringing
    return (
        f"[{pace.elapsed:5.0f} s] done {_done(stats)}/{_total(stats)}  waiting {stats.targets_idle}"
        f" (retries {stats.retries_waiting})  ringing {ringing}  talking {stats.talking}"
        f"  answered {stats.answered}  failed: {_failed(stats)}  {pace.attempts_per_s:.1f} attempts/s"
        f"  left: {pace.left}{_waiting_for(stats)}"
    )


def _waiting_for(stats: CampaignStats) -> str:
    return f"  waiting for {waiting_for(stats)}" if stats.waiting_for else ""


def waiting_for(stats: CampaignStats) -> str:
    """What the campaign waits for; when it is the next try of somebody, also when that is."""
    when = stats.tm_next_due if stats.waiting_for.startswith("targets_due:") else None
    return plain(stats.waiting_for) + (f", the next at {when:%Y-%m-%d %H:%M:%S} UTC" if when else "")


def _table(title: str, stats: CampaignStats, pace: Pace) -> Table:
    table = Table(title=title, title_justify="left", show_header=False)
    table.add_row("people done", f"{_done(stats)} of {_total(stats)}")
    table.add_row("people waiting", f"{stats.targets_idle} (of them retries: {stats.retries_waiting})")
    table.add_row("people being dialled", f"{stats.dialing} (of them ringing: {stats.ringing})")
    table.add_row("people talking", str(stats.talking))
    table.add_row("answered", str(stats.answered))
    table.add_row("failed by reason", _failed(stats))
    table.add_row("attempts", f"{stats.attempts} ({pace.attempts_per_s:.1f} a second)")
    table.add_row("time / estimated left", f"{pace.elapsed:.0f} s / {pace.left}")
    if stats.waiting_for:
        table.add_row("waiting for", waiting_for(stats))
    return table


def print_summary(stats: CampaignStats) -> None:
    """The table at the end."""
    console = Console(file=sys.stdout, highlight=False, markup=False, width=None if sys.stdout.isatty() else 100)
    table = Table(title="Summary", title_justify="left")
    table.add_column("what")
    table.add_column("count", justify="right")
    table.add_row("people", str(_total(stats)))
    for reason, count in sorted(stats.targets_done.items()):
        if count:
            table.add_row(f"  done: {reason}", str(count))
    if stats.targets_idle:
        table.add_row("  still waiting", str(stats.targets_idle))
    table.add_row("attempts", str(stats.attempts))
    table.add_row("  answered", str(stats.answered))
    table.add_row("  succeeded", str(stats.succeeded))
    for reason, count in sorted(stats.failed.items()):
        if count:
            table.add_row(f"  failed: {reason}", str(count))
    console.print(table)
