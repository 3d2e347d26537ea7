"""The repository speaks of the product alone, and its locked files of no place."""

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
TEXTS = {".py", ".sql", ".md", ".toml", ".txt", ".xml", ".csv", ".html", ".js", ".css", ".yml", ".yaml", ".sh", ""}

FOREIGN = {
    "an absolute path of somebody's machine": re.compile(r"(?<![\w.<}])/(?:work|root|home|Users)/\w"),
    "a number of a tracker": re.compile(r"\bissues? (?:#|no\.? ?)\d", re.IGNORECASE),
    "talk of how it was written": re.compile(r"\b(?:AI[- ]assistant|language model|this session)\b", re.IGNORECASE),
    "work left undone": re.compile(r"\b(?:TO" + r"DO|FIX" + r"ME|XX" + r"X)\b"),
}


def sources() -> list[Path]:
    """Every text of the repository: tracked, and new ones that are not ignored."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60)
    if done.returncode != 0:
        pytest.skip("not a git checkout")
    paths = [ROOT / name for name in done.stdout.split("\0") if name]
    return [path for path in paths if path.is_file() and path.suffix in TEXTS]


def test_no_workplace_words() -> None:
    found = []
    for path in sources():
        if path == Path(__file__):
            continue
        for number, line in enumerate(path.read_text(errors="replace").splitlines(), 1):
            found += [
                f"{path.relative_to(ROOT)}:{number}: {what}" for what, word in FOREIGN.items() if word.search(line)
            ]
    assert found == []


@pytest.mark.parametrize("text", ["/" + "work/list.csv", 'open("/home/me/x")', "issue #12", "Issues 4 and issue no. 5"])
def test_the_words_are_found(text: str) -> None:
    assert any(word.search(text) for word in FOREIGN.values()) == ("Issues 4" not in text or "no. 5" in text)


@pytest.mark.parametrize("name", ["run.txt", "dev.txt", "build.txt"])
def test_locked_requirements_name_versions_and_hashes_and_no_place(name: str) -> None:
    text = (ROOT / "requirements" / name).read_text()
    assert not re.search(r"://|index-url|find-links|trusted-host", text)
    pins = [line for line in text.splitlines() if re.match(r"[a-z]", line)]
    assert pins
    assert all(re.match(r"[a-z0-9._-]+==[\w.]+( ;.*)? \\$", line) for line in pins)
    assert text.count("--hash=sha256:") >= len(pins)


def test_the_lock_covers_what_the_package_asks_for() -> None:
    asked = re.search(r"^dependencies = \[(.*?)^\]", (ROOT / "pyproject.toml").read_text(), re.DOTALL | re.MULTILINE)
    assert asked is not None
    names = set(re.findall(r'"([a-z0-9-]+)', asked[1]))
    locked = {line.split("==")[0] for line in (ROOT / "requirements/run.txt").read_text().splitlines() if "==" in line}
    assert names <= locked
