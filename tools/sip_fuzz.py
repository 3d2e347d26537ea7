"""Damages SIP messages and throws them at a user agent with calls in every state.

    .venv/bin/python tools/sip_fuzz.py --messages 1000000 --seed 7

The long form of tests/sip/core/test_mutations.py. The messages are real ones of all kinds, the torture messages of
RFC 4475 among them; the damage is byte flips, truncation, headers doubled, dropped, swapped, folded and blown up, wrong
lengths, huge numbers, NULs and Unicode. Everything comes from the seed; nothing touches a socket or a clock. Says what
it saw, or fails with what was wrong: an exception, a packet of ours that cannot be parsed, state or memory that grows,
a message that costs more steps than its length allows, or a call that does not end.
"""

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from tests.sip.core.mutations import Report, storm


def show(seed: int, report: Report) -> None:
    """What a run saw."""
    print(f"seed {seed}: {report.messages:,} messages, {report.parsed:,} of them acceptable")
    print(f"  packets sent {report.sent:,}, calls {report.calls:,}, told as ended {report.ended:,}")
    print(f"  calls met: {', '.join(f'{count:,} {state}' for state, count in report.states.items())}")
    print(f"  most held at once {report.most_held}, most steps a byte {report.most_steps_per_byte:.1f}")
    print(f"  memory blocks after each tenth: {', '.join(f'{blocks:,}' for blocks in report.blocks)}")


def main() -> int:
    """The exit code."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--messages", type=int, default=200_000, help="messages a seed (%(default)s)")
    parser.add_argument("--seed", type=int, default=1, help="the first seed (%(default)s)")
    parser.add_argument("--seeds", type=int, default=1, help="how many seeds (%(default)s)")
    options = parser.parse_args()
    for seed in range(options.seed, options.seed + options.seeds):
        show(seed, storm(seed, options.messages))
    return 0


if __name__ == "__main__":
    sys.exit(main())
