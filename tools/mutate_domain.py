"""Break each gate and rule of the domain, one at a time, and see that a test of the domain alone notices.

For every gate function of ``domain/gates.py`` a mutant whose gate is always open, and for each row below one whose
line is changed, is tested in a copy of its own with ``pytest tests/domain -x -q``. Survivors are listed.

    python tools/mutate_domain.py [--jobs 2] [word in the name ...]

Exit code 1 when a mutant survives, 2 when a row no longer fits the source or the tests fail without a mutant.
"""

import argparse
import ast
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent
DOMAIN = Path("src/outdialer/domain")
COPIED = ("src/outdialer/__init__.py", "src/outdialer/domain", "tests/__init__.py", "tests/conftest.py", "tests/domain")
LONGEST_RUN_S = 240


class Mutant(NamedTuple):
    """One change to one file of the domain."""

    file: str
    old: str
    new: str

    @property
    def name(self) -> str:
        """What is broken, in one line."""
        new = self.new.strip().splitlines() or ["nothing"]
        return f"{self.file}: {self.old.strip().splitlines()[0]} -> {new[-1].strip()}"


ROWS = (
    # Retry: order, tries, interval, what is given back.
    Mutant("retry.py", "tries[index] < max_tries[index]", "tries[index] <= max_tries[index]"),
    Mutant("retry.py", "for index in range(DESTINATIONS)", "for index in reversed(range(DESTINATIONS))"),
    Mutant("retry.py", "if destinations[index] and ", "if "),
    Mutant("retry.py", "after(ended, try_interval_ms)", "ended"),
    Mutant("retry.py", "if not outcome.charged", "if outcome.charged and False"),
    Mutant("retry.py", "    if removed:\n", "    if False:\n"),
    Mutant("retry.py", "if not tries_left or", "if False or"),
    Mutant("retry.py", "outcome.answered and not redial_answered", "False"),
    Mutant("retry.py", "not redial_answered", "redial_answered"),
    Mutant("retry.py", "if outcome.result == Result.SUCCESS", "if outcome.answered"),
    # Outcome: only normal is success, nothing unanswered is normal.
    Mutant("outcome.py", "if reason == HangupReason.NORMAL else", "if answered else"),
    Mutant("outcome.py", "    if q850_cause:\n", "    if q850_cause not in (0, 16):\n"),
    Mutant("outcome.py", "    RING_LIMIT: HangupReason.NOANSWER,\n", ""),
    Mutant("outcome.py", "    NO_RESPONSE: HangupReason.DIALOUT,\n", ""),
    Mutant("outcome.py", "    CALL_LIMIT: HangupReason.TIMEOUT,\n", ""),
    Mutant("outcome.py", "    FLOW_FAILED: HangupReason.FAILED,\n", ""),
    Mutant("outcome.py", "    486: HangupReason.BUSY,\n", ""),
    Mutant("outcome.py", "    21: HangupReason.NOANSWER,\n", ""),
    Mutant("outcome.py", "answered=False, charged=False)", "answered=False, charged=True)"),
    Mutant("outcome.py", "UNKNOWN, answered=answered)", "UNKNOWN, answered=answered, charged=False)"),
    Mutant("outcome.py", "    if not sip_code:\n", "    if False:\n"),
    # Limits: one interval apart, no burst, no channel too many.
    Mutant("limits.py", "self.in_use += 1", "pass"),
    Mutant("limits.py", "self.next_slot = slot + interval(self.rate_per_s)", "pass"),
    Mutant("limits.py", "slot + interval(self.rate_per_s)", "self.next_slot + interval(self.rate_per_s)"),
    Mutant("limits.py", "return ceil(", "return int("),
    Mutant("limits.py", "slot = max(slot, limit.next_slot)", "slot = now"),
    Mutant("limits.py", "max(0, self.channels - self.in_use)", "max(0, self.channels - self.in_use + 1)"),
    # Gates: what a limit is.
    Mutant("gates.py", "channels=1 if trunk.probing else trunk.channels", "channels=trunk.channels"),
    Mutant("gates.py", "limit.next_slot < now + HORIZON_US", "limit.next_slot <= now + HORIZON_US"),
    Mutant("gates.py", "limit.next_slot - LOOK_AHEAD_US", "limit.next_slot"),
    Mutant("gates.py", "campaign.service_level // 100", "100 // 100"),
    Mutant("gates.py", "None if is_open else trunk.paused_until", "None"),
    Mutant("gates.py", "None if waiting else campaign.next_due", "None"),
    # Plan: who, which destination, when, and when to look again.
    Mutant("plan.py", "        if number in dealer.numbers:\n", "        if False:\n"),
    Mutant("plan.py", "trunk_limit.reserve(slot)", "pass"),
    Mutant("plan.py", "campaign_limit.reserve(slot)", "pass"),
    Mutant("plan.py", "dealer.media_free -= 1", "pass"),
    Mutant("plan.py", "dealer.setups_free -= 1", "pass"),
    Mutant("plan.py", "dealer.dealt[campaign.key] += 1", "pass"),
    Mutant("plan.py", "earliest(dealer.now, trunk_limit, campaign_limit)\n    trunk", "dealer.now\n    trunk"),
    Mutant("plan.py", "earliest(dealer.now, trunk_limit, campaign_limit)\n    return", "dealer.now\n    return"),
    Mutant("plan.py", "campaign_limit.next_slot, campaign.key)", "0, campaign.key)"),
    Mutant("plan.py", "        why = refusal(left[index])\n", '        why = ""\n'),
    Mutant("plan.py", "TargetEvent.REFUSED if refused", "TargetEvent.REFUSED if not refused"),
    Mutant("plan.py", "target.tries[index] + 1", "target.tries[index]"),
    Mutant("plan.py", " and len(dealer.lines) < LINES_PER_PLAN", ""),
    Mutant("plan.py", "len(dealer.lines) >= LINES_PER_PLAN or dealer.closures", "False"),
    Mutant("plan.py", "max(dealer.now, min(instants))", "min(instants)"),
    Mutant("plan.py", "max(dealer.now, min(instants))", "max(instants)"),
    Mutant("plan.py", "campaign.next_due is not None and campaign.next_due > dealer.now", "False"),
    Mutant("plan.py", "CampaignEvent.DRAINED if campaign.in_use == 0 else None", "CampaignEvent.DRAINED"),
    Mutant("plan.py", "campaign.idle + campaign.progressing > 0", "campaign.idle > 0"),
    Mutant("plan.py", "campaign.end_handle != EndHandle.STOP or campaign.in_use", "campaign.in_use"),
    Mutant("plan.py", "SEND_WINDOW_US = 200_000", "SEND_WINDOW_US = 2_000_000"),
    # Breaker.
    Mutant("breaker.py", "{401, 403, 407, OVERLOADED}", "{401, 403, OVERLOADED}"),
    Mutant("breaker.py", "refusals >= REFUSALS_IN_A_ROW", "refusals > REFUSALS_IN_A_ROW"),
    Mutant("breaker.py", " or (breaker.probing and not asked_s)", ""),
    Mutant("breaker.py", "breaker.probing and not asked_s", "breaker.probing"),
    Mutant("breaker.py", " if sip_code == OVERLOADED else 0", ""),
    Mutant("breaker.py", "    if asked_s:\n", "    if False:\n"),
    Mutant("breaker.py", "min(LONGEST_PAUSE_S, retry_after_s)", "retry_after_s"),
    Mutant("breaker.py", "until < breaker.open_until + MICROSECONDS_PER_SECOND", "until < breaker.open_until"),
    Mutant("breaker.py", "until < breaker.open_until + MICROSECONDS_PER_SECOND", "until <= breaker.open_until + 10**6"),
    Mutant("breaker.py", "pauses=max(breaker.pauses, 1)", "pauses=breaker.pauses + 1"),
    Mutant("breaker.py", "return Breaker() if sip_code else breaker", "return breaker"),
    Mutant("breaker.py", "    if now < breaker.open_until:\n", "    if False:\n"),
    Mutant("breaker.py", "max(retry_after_s, PAUSE_S * 2**breaker.pauses)", "PAUSE_S * 2**breaker.pauses"),
    Mutant("breaker.py", "2**breaker.pauses", "1"),
    Mutant("breaker.py", "min(LONGEST_PAUSE_S, ", "max(0, "),
    # Numbers.
    Mutant("numbers.py", "[1-9][0-9]{6,14}", "[0-9]{6,14}"),
    Mutant("numbers.py", "_emergency_numbers().fullmatch(digits)", "False"),
    Mutant("numbers.py", "LONGEST_EMERGENCY_NUMBER = 6", "LONGEST_EMERGENCY_NUMBER = 5"),
    Mutant("numbers.py", "if code and _is_emergency_in(code, national)", "if False"),
    Mutant("numbers.py", "if code and _premium_numbers(code).fullmatch(national)", "if False"),
    Mutant("numbers.py", "user = unquote(user)", "user = str(user)"),
    Mutant("numbers.py", '_NOT_DIALLED.sub("", user)', "user"),
    Mutant("numbers.py", 're.compile(r"00|011")', 're.compile(r"x")'),
    Mutant("numbers.py", ' and not international.startswith("0")', ""),
    Mutant("numbers.py", "not 1 <= int(port) <= 65535", "not 0 <= int(port) <= 65535"),
    Mutant("numbers.py", "len(stripped) > MAX_DESTINATION_LENGTH", "len(stripped) > 999"),
    Mutant("numbers.py", "return user\n    match", "return destination\n    match"),
    # Identity.
    Mutant("identity.py", "not call_id.isascii() or ", ""),
    Mutant("identity.py", "f'branch:{method}|", "f'branch|"),
    Mutant("identity.py", "if not hmac.compare_digest(leg_identity(secret, *found).call_id, call_id)", "if False"),
)


def gate_functions(source: str) -> Iterator[str]:
    """The names of the functions in the two rows of gates."""
    for node in ast.parse(source).body:
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.target.id.endswith("_GATES"):
            assert isinstance(node.value, ast.Tuple)
            yield from (element.id for element in node.value.elts if isinstance(element, ast.Name))


def always_open(source: str) -> Iterator[Mutant]:
    """For each gate function, the mutant in which it always says open."""
    for name in gate_functions(source):
        header = next(line for line in source.splitlines() if line.startswith(f"def {name}("))
        yield Mutant("gates.py", f"{header}\n", f'{header}\n    return Gate("{name}", True, "always open")\n')


def run_tests(mutant: Mutant | None) -> bool:
    """Whether the domain's tests pass with the mutant in place."""
    with tempfile.TemporaryDirectory(prefix="outdialer-mutant-") as folder:
        for name in COPIED:
            source, copy = ROOT / name, Path(folder) / name
            copy.parent.mkdir(parents=True, exist_ok=True)
            if source.is_dir():
                shutil.copytree(source, copy, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                shutil.copy(source, copy)
        shutil.copy(ROOT / "pyproject.toml", folder)
        if mutant is not None:
            path = Path(folder) / DOMAIN / mutant.file
            path.write_text(path.read_text().replace(mutant.old, mutant.new, 1))
        return _pytest_passes(folder)


def _pytest_passes(folder: str) -> bool:
    command = [sys.executable, "-m", "pytest", "tests/domain", "-x", "-q", "-p", "no:cacheprovider"]
    environment = {**os.environ, "PYTHONPATH": f"{folder}/src", "HYPOTHESIS_PROFILE": "ci"}
    try:
        done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, timeout=LONGEST_RUN_S)
    except subprocess.TimeoutExpired:
        return False
    return done.returncode == 0


def misfits(mutants: list[Mutant]) -> list[Mutant]:
    """Rows whose text is not in the source any more."""
    return [mutant for mutant in mutants if mutant.old not in (ROOT / DOMAIN / mutant.file).read_text()]


def main() -> int:
    """Run every mutant, or those whose name contains one of the given words."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument("words", nargs="*")
    arguments = parser.parse_args()
    mutants = [*always_open((ROOT / DOMAIN / "gates.py").read_text()), *ROWS]
    stale = misfits(mutants)
    for mutant in stale:
        print(f"does not fit the source any more: {mutant.name}")
    if stale or not run_tests(None):
        print("" if stale else "the tests fail without any mutant")
        return 2
    chosen = [m for m in mutants if not arguments.words or any(word in m.name for word in arguments.words)]
    with ThreadPoolExecutor(arguments.jobs) as pool:
        survived = [mutant for mutant, alive in zip(chosen, pool.map(run_tests, chosen), strict=True) if alive]
    for mutant in survived:
        print(f"survived: {mutant.name}")
    print(f"{len(chosen)} mutants, {len(survived)} survived")
    return 1 if survived else 0


if __name__ == "__main__":
    raise SystemExit(main())
