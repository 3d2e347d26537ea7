"""The served API against its own document, by Schemathesis with all of its checks: the short form.

``tools/conformance.py`` is the long form, with the phase ``coverage``, the links of all collections and more requests.
"""

import re
import subprocess
import sys
from pathlib import Path

import pytest

TOOL = Path(__file__).resolve().parents[2] / "tools" / "conformance.py"


@pytest.mark.slow
def test_the_server_is_as_its_document_says() -> None:
    short = ("--phases", "examples,fuzzing,stateful", "--max-examples", "2", "--no-shrink")
    links = ("--collections", "campaigncalls,outdials,tags", "--stateful-seconds", "3")
    arguments = [sys.executable, str(TOOL), *short, *links]
    done = subprocess.run(arguments, capture_output=True, text=True, timeout=900, check=False)
    said = done.stdout[-20_000:] + done.stderr[-5_000:]
    assert done.returncode == 0, said
    assert re.search(r"^links: [1-9]", done.stdout, re.MULTILINE), said
