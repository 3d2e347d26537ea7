"""The folder of rendered prompts keeps to its size, and keeps what may be about to be played."""

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from outdialer.media.cache import IN_USE_S, CacheFolder
from outdialer.media.prompts import PromptCache
from outdialer.ports.media import Prompt, PromptError

SOUND = np.zeros(1_000, dtype=np.int16)
"""Takes 2,000 bytes."""
OLD_S = IN_USE_S + 60


def age(path: Path, seconds: float) -> None:
    """Let a file have been wanted last so long ago."""
    then = path.stat().st_mtime - seconds
    os.utime(path, (then, then))


def names(folder: Path) -> set[str]:
    return {path.name.removesuffix(".g711") for path in folder.iterdir()}


def test_what_was_not_wanted_for_longest_goes(tmp_path: Path) -> None:
    cache = CacheFolder(tmp_path, 10_000)
    for number in range(5):
        cache.store(f"p{number}", SOUND)
        age(cache.path(f"p{number}"), OLD_S - number)
    assert cache.find("p0") is not None
    cache.store("new", SOUND)
    assert names(tmp_path) == {"p0", "p2", "p3", "p4", "new"}
    assert cache.find("p1") is None


def test_what_may_be_about_to_be_played_stays(tmp_path: Path) -> None:
    cache = CacheFolder(tmp_path, 2_000)
    for number in range(5):
        cache.store(f"p{number}", SOUND)
    assert len(names(tmp_path)) == 5
    for number in range(4):
        age(cache.path(f"p{number}"), OLD_S)
    cache.store("new", SOUND)
    assert names(tmp_path) == {"p4", "new"}


def test_what_is_wanted_while_room_is_made_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cache = CacheFolder(tmp_path, 2_000)
    cache.store("wanted", SOUND)
    age(cache.path("wanted"), OLD_S)
    looked: Callable[[], list[tuple[str, os.stat_result]]] = cache._files

    def look_and_want() -> list[tuple[str, os.stat_result]]:
        found = looked()
        assert cache.find("wanted") is not None
        return found

    monkeypatch.setattr(cache, "_files", look_and_want)
    cache.store("new", SOUND)
    assert names(tmp_path) == {"wanted", "new"}


def test_a_large_cache_is_not_looked_through_each_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cache = CacheFolder(tmp_path, 400_000)
    looks = []

    def look() -> list[tuple[str, os.stat_result]]:
        looks.append(1)
        return []

    monkeypatch.setattr(cache, "_files", look)
    for number in range(41):
        cache.store(f"p{number}", SOUND)
    assert len(looks) == 1 + 4


def test_others_files_and_folders_are_left_alone_and_leftovers_are_not(tmp_path: Path) -> None:
    tmp_path.joinpath("notes.txt").write_bytes(b"x" * 5_000)
    for name in (".prompt-abc", "gone.g711"):
        tmp_path.joinpath(name).write_bytes(b"x" * 5_000)
        age(tmp_path / name, OLD_S)
    CacheFolder(tmp_path, 2_000).store("new", SOUND)
    assert names(tmp_path) == {"notes.txt", "new"}


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    tmp_path.joinpath("file").write_bytes(b"")
    with pytest.raises(PromptError, match="cannot be written"):
        CacheFolder(tmp_path / "file", 2_000).store("new", SOUND)


async def test_a_prompt_that_went_is_rendered_again(tmp_path: Path) -> None:
    cache = PromptCache(tmp_path, live=False, engines=[], cache_bytes=1)
    first, second = Prompt(tones=((440, 100),)), Prompt(tones=((880, 100),))
    made = await cache.prepare(first)
    age(tmp_path / f"{made.key}.g711", OLD_S)
    await cache.prepare(second)
    assert not (tmp_path / f"{made.key}.g711").exists()
    assert await cache.prepare(first) == made
    assert (tmp_path / f"{made.key}.g711").exists()
