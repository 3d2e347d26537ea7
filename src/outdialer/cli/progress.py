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
        self._first_attempts: int | None = None

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
        if self._first_attempts is None:
            self._first_attempts = stats.attempts
        rate = (stats.attempts - self._first_attempts) / elapsed if elapsed > 1 else 0.0
        if self._live is not None:
            self._live.update(_table(self._title, stats, rate, elapsed))
        elif self._loop.time() - self._printed >= PLAIN_EVERY_S:
            self._printed = self._loop.time()
            print(_line(stats, rate, elapsed), flush=True)


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


def _left(stats: CampaignStats, elapsed: float) -> str:
    done = _done(stats)
    if done < 5 or elapsed < 2:
        return "not known yet"
    return f"{(_total(stats) - done) * elapsed / done:.0f} s"


def _line(stats: CampaignStats, rate: float, elapsed: float) -> str:
    ringing = stats.ringing
    return (
        f"[{elapsed:5.0f} s] done {_done(stats)}/{_total(stats)}  waiting {stats.targets_idle}"
        f" (retries {stats.retries_waiting})  ringing {ringing}  talking {stats.talking}"
        f"  answered {stats.answered}  failed: {_failed(stats)}  {rate:.1f} attempts/s"
        f"  left: {_left(stats, elapsed)}{_waiting_for(stats)}"
    )


def _waiting_for(stats: CampaignStats) -> str:
    return f"  waiting for {plain(stats.waiting_for)}" if stats.waiting_for else ""


def _table(title: str, stats: CampaignStats, rate: float, elapsed: float) -> Table:
    table = Table(title=title, title_justify="left", show_header=False)
    table.add_row("people done", f"{_done(stats)} of {_total(stats)}")
    table.add_row("people waiting", f"{stats.targets_idle} (of them retries: {stats.retries_waiting})")
    table.add_row("dialing / ringing / talking", f"{stats.dialing} / {stats.ringing} / {stats.talking}")
    table.add_row("answered", str(stats.answered))
    table.add_row("failed by reason", _failed(stats))
    table.add_row("attempts", f"{stats.attempts} ({rate:.1f} a second)")
    table.add_row("time / estimated left", f"{elapsed:.0f} s / {_left(stats, elapsed)}")
    if stats.waiting_for:
        table.add_row("waiting for", plain(stats.waiting_for))
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
