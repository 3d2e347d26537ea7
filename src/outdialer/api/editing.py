"""Changing an object that others may be changing: read, merge, save, and again when somebody was faster."""

from collections.abc import Awaitable, Callable
from typing import Protocol, TypeVar

from outdialer.api.errors import ApiError
from outdialer.api.operations import Context
from outdialer.domain.units import Instant
from outdialer.ports.store import Conflict

ATTEMPTS = 3
"""How often a change is tried when others change the same object."""


class Editable(Protocol):
    """What people edit."""

    @property
    def version(self) -> int:
        """Grows with every change."""

    @property
    def tm_delete(self) -> Instant | None:
        """When it was deleted."""


class Deletable(Protocol):
    """What can be marked as deleted."""

    @property
    def tm_delete(self) -> Instant | None:
        """When it was deleted."""


E = TypeVar("E", bound=Editable)
D = TypeVar("D", bound=Deletable)


def found(thing: D | None, reason: str, name: str) -> D:
    """The object, or the refusal that it does not exist.

    Raises:
        ApiError: it is None.
    """
    if thing is None:
        raise ApiError(reason, f"The {name} was not found.")
    return thing


def alive(thing: D, name: str) -> D:
    """The object, or the refusal that it is deleted.

    Raises:
        ApiError: it is deleted.
    """
    if thing.tm_delete is not None:
        raise ApiError("STATE_INVALID", f"The {name} is deleted and cannot be changed or used any more.")
    return thing


async def edit(
    context: Context,
    read: Callable[[], Awaitable[E]],
    change: Callable[[E], Awaitable[E]],
    save: Callable[[E], Awaitable[E]],
    name: str,
) -> E:
    """Merge a change into the stored object.

    Raises:
        ApiError: it is deleted, ``If-Match`` names another version, or others kept changing it.
    """
    for _ in range(ATTEMPTS):
        current = alive(await read(), name)
        if context.again and await change(current) == current:
            context.show_version(current.version)
            return current
        context.check_version(current.version)
        try:
            saved = await save(await change(current))
        except Conflict:
            continue
        context.show_version(saved.version)
        return saved
    raise others_change(name)


async def remove(
    context: Context,
    read: Callable[[], Awaitable[E]],
    delete: Callable[[int | None], Awaitable[E | None]],
    name: str,
) -> E:
    """Mark the stored object as deleted; a second time changes nothing.

    ``delete`` is given the version that ``If-Match`` allows, None where any will do.

    Raises:
        ApiError: ``If-Match`` names another version, or others kept changing it.
    """
    for _ in range(ATTEMPTS):
        current = await read()
        if current.tm_delete is None:
            context.check_version(current.version)
            try:
                current = await delete(None if context.if_match is None else current.version) or current
            except Conflict:
                continue
        context.show_version(current.version)
        return current
    raise others_change(name)


def others_change(name: str) -> ApiError:
    """The refusal of a change that others were faster with, again and again."""
    return ApiError("STATE_INVALID", f"Others are changing this {name}; read it and send the change again.")
