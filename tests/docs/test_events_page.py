"""What the page about events says is what the code does."""

import re
from pathlib import Path

from outdialer.api.events import feed, follower, stream, welcome
from outdialer.api.events.frames import PING_EVERY_S, PONG_WITHIN_S
from outdialer.api.events.render import EVENT_TYPES
from outdialer.api.events.websocket import CLOSE_CODES, PATHS

PAGE = (Path(__file__).parent.parent.parent / "docs" / "events.md").read_text(encoding="utf-8")


def test_every_event_that_it_names_is_one() -> None:
    named = set(re.findall(r"`((?:campaign|campaigncall|call|agent|outplan|outdial)_\w+)`", PAGE))
    assert len(named) > 10
    assert named <= set(EVENT_TYPES)


def test_the_figures_hold() -> None:
    for text in (
        f"pings every {PING_EVERY_S:.0f} s",
        f"{PONG_WITHIN_S:.0f} s without a pong",
        f"{follower.MOST_WAITING_BYTES // 1_048_576} MiB waited",
        f"{feed.MOST_FOLLOWERS:,} connections",
        f"Every {stream.HEARTBEAT_S:.0f} s without an event",
        f"asked every {welcome.ASK_EVERY_S:.0f} s",
        f"every {feed.ROUND_S} s at most",
        *(str(code) for code in CLOSE_CODES.values()),
        *PATHS,
    ):
        assert text in PAGE, text
