"""The served API against its own document, by Schemathesis with all of its checks: the short form.

``tools/conformance.py`` is the long form, with the phase ``coverage`` and more requests.
"""

import subprocess
import sys
from pathlib import Path

import pytest

TOOL = Path(__file__).resolve().parents[2] / "tools" / "conformance.py"


@pytest.mark.slow
def test_the_server_is_as_its_document_says() -> None:
    short = ("--phases", "examples,fuzzing,stateful", "--max-examples", "2", "--no-shrink")
    done = subprocess.run([sys.executable, str(TOOL), *short], capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stdout[-20_000:] + done.stderr[-5_000:]
