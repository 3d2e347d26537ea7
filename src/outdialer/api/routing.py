"""Which operation a request asks for. Paths are exact: a doubled or trailing slash makes another path."""

from collections.abc import Iterable
from typing import NamedTuple

from outdialer.api.operations import Operation


class _Node:
    def __init__(self) -> None:
        self.following: dict[str, _Node] = {}
        self.placeholder: _Node | None = None
        self.operations: dict[str, Operation] = {}


class Found(NamedTuple):
    """What stands at a path."""

    operations: dict[str, Operation]
    """By method."""
    values: tuple[str, ...]
    """What stands where the path has placeholders, from left to right."""


class Router:
    """A tree of the segments of all paths; a literal segment goes before a placeholder."""

    def __init__(self, operations: Iterable[Operation]) -> None:
        self._root = _Node()
        for operation in operations:
            self._add(operation)

    def _add(self, operation: Operation) -> None:
        node = self._root
        for segment in operation.path.split("/")[1:]:
            if segment.startswith("{"):
                node.placeholder = node = node.placeholder or _Node()
            else:
                node = node.following.setdefault(segment, _Node())
        assert operation.method not in node.operations, f"{operation.method} {operation.path} is declared twice"
        node.operations[operation.method] = operation

    def find(self, path: str) -> Found | None:
        """What stands at a path; None: nothing."""
        node = self._root
        values: list[str] = []
        start, *segments = path.split("/")
        for segment in segments:
            following = node.following.get(segment)
            if following is None:
                following = node.placeholder
                if following is None or not segment:
                    return None
                values.append(segment)
            node = following
        return Found(node.operations, tuple(values)) if node.operations and not start else None
