"""The phones' log against SIPp's own trace: two programs that share no code must have seen the same calls."""

from __future__ import annotations

import asyncio
import re
import shutil
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from outdialer.carriers.simulator.behaviours import parse_rule

if TYPE_CHECKING:
    from tests.phones.conftest import StartPhones

pytestmark = [
    pytest.mark.sipp,
    pytest.mark.skipif(shutil.which("sipp") is None, reason="SIPp is not there: apt-get install sip-tester"),
]
CALLS = 60


async def sipp(folder: Path, target: tuple[str, int], *arguments: str) -> str:
    """Run SIPp's built-in caller, and return its trace of messages."""
    trace = folder / "trace.log"
    process = await asyncio.create_subprocess_exec(
        *("sipp", f"{target[0]}:{target[1]}", "-sn", "uac", "-i", "127.0.0.1", "-p", "0", "-nostdin"),
        *("-s", "+12025550123", "-m", str(CALLS), "-r", "200", "-d", "0", "-timeout", "60s"),
        *("-trace_msg", "-message_file", str(trace), *arguments),
        cwd=folder,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output, _ = await process.communicate()
    assert process.returncode in (0, 1), output.decode(errors="replace")
    return await asyncio.to_thread(trace.read_text)


def invites_sent(trace: str) -> Counter[str]:
    """Call-IDs of the INVITEs in a trace of SIPp, with how often each went out."""
    messages = re.split(r"^-{20,}.*$", trace, flags=re.MULTILINE)
    sent = [text for text in messages if " message sent " in text and "\nINVITE sip:" in text]
    return Counter(re.findall(r"^Call-ID: (\S+)", text, flags=re.MULTILINE)[0] for text in sent)


async def logged(path: Path) -> list[dict[str, Any]]:
    data = await asyncio.to_thread(path.read_bytes)
    return [msgspec.json.decode(line) for line in data.splitlines()]


async def invites_logged(path: Path) -> list[dict[str, Any]]:
    return [line for line in await logged(path) if line.get("dir") == "in" and line["method"] == "INVITE"]


async def test_the_log_is_what_sipp_sent(start_phones: StartPhones, log_path: Path, tmp_path: Path) -> None:
    network = await start_phones(rules=(parse_rule("answer:ring_after_ms=0,final_after_ms=20"),), log_path=log_path)
    sent = invites_sent(await sipp(tmp_path, network.address))
    received = await invites_logged(log_path)
    assert len(sent) == CALLS
    assert Counter(line["call_id"] for line in received) == sent
    assert {line["call_id"] for line in received if not line["retransmission"]} == set(sent)
    assert network.answered == CALLS


async def test_sipp_gets_through_to_lossy_phones(start_phones: StartPhones, log_path: Path, tmp_path: Path) -> None:
    network = await start_phones(
        rules=(parse_rule("lossy:ring_after_ms=0,final_after_ms=0,loss=0.1"),), log_path=log_path
    )
    sent = invites_sent(await sipp(tmp_path, network.address))
    received = await invites_logged(log_path)
    assert Counter(line["call_id"] for line in received) == sent
    assert network.invites == CALLS
    assert any(line.get("lost") for line in await logged(log_path))
