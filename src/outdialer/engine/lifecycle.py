"""Tasks that cannot get lost, and a flag that can be waited for with a deadline."""

import asyncio
import logging
from collections.abc import Coroutine
from typing import Any

from outdialer.telemetry import log


class Tasks:
    """Holds the background tasks of one owner until they end.

    The event loop keeps only weak references to tasks, so an unheld one may vanish with its work.
    """

    def __init__(self) -> None:
        self._tasks: dict[asyncio.Task[None], None] = {}
        """A dict for its order, which is that of their start: a set's depends on addresses."""

    def start(self, work: Coroutine[Any, Any, None], name: str) -> asyncio.Task[None]:
        """Run ``work`` in the background; an unexpected error is logged."""
        task = asyncio.get_running_loop().create_task(work, name=name)
        self._tasks[task] = None
        task.add_done_callback(self._ended)
        return task

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.pop(task, None)
        if not task.cancelled() and task.exception() is not None:
            log("task_failed", logging.ERROR, task.exception(), task=task.get_name())

    async def cancel(self) -> None:
        """Cancel what is running and wait until it has ended."""
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


class Bell:
    """Rung by anybody, answered by one waiter; rings while nobody waits are remembered as one."""

    def __init__(self) -> None:
        self._event = asyncio.Event()

    def ring(self) -> None:
        """Wake the waiter."""
        self._event.set()

    async def wait(self, seconds: float | None) -> None:
        """Return when the bell has rung since the last wait, or after ``seconds`` (None: only then)."""
        if not self._event.is_set():
            loop = asyncio.get_running_loop()
            timer = None if seconds is None else loop.call_later(max(0.0, seconds), self._event.set)
            try:
                await self._event.wait()
            finally:
                if timer is not None:
                    timer.cancel()
        self._event.clear()
