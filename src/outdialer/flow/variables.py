"""``${name}`` in the options of an action: replaced by the variable's value, by "" where there is none."""

import re
from collections.abc import Mapping
from typing import Any

_REFERENCE = re.compile(r"\$\{(.*?)\}")


def substitute(value: Any, variables: Mapping[str, str]) -> Any:
    """A copy of a JSON value with every reference in its strings replaced; numbers and lists stay what they are."""
    if isinstance(value, str):
        return _REFERENCE.sub(lambda match: variables.get(match[1], ""), value)
    if isinstance(value, dict):
        return {key: substitute(item, variables) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [substitute(item, variables) for item in value]
    return value


def has_references(value: Any) -> bool:
    """Whether any string in a JSON value refers to a variable."""
    if isinstance(value, str):
        return _REFERENCE.search(value) is not None
    if isinstance(value, dict):
        return any(has_references(item) for item in value.values())
    if isinstance(value, list | tuple):
        return any(has_references(item) for item in value)
    return False
