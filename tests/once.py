"""What takes long is made once in a run of pytest, however many workers ask for it."""

import fcntl
import os
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar, cast

import pytest

Made = TypeVar("Made")


def once(factory: pytest.TempPathFactory, name: str, make: Callable[[Path], Made]) -> Made:
    """What ``make`` makes in a folder of its own; the other workers of pytest-xdist wait for it and are told.

    It beside itself would be more than a small machine has, and its tests are those that feel that.
    """
    folder = factory.mktemp(name)
    if "PYTEST_XDIST_WORKER" not in os.environ:
        return make(folder)
    told = factory.getbasetemp().parent / f"{name}.pickle"
    with told.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not told.exists():
            told.write_bytes(pickle.dumps(make(folder)))
    return cast(Made, pickle.loads(told.read_bytes()))
