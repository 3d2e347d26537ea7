"""No secret without a canary: what sounds like one has a row, and no row is of something that is gone."""

from collections.abc import Iterator
from typing import Any, TypeAlias

import click

from outdialer.api.app import all_resources
from outdialer.api.metrics import RequestMetrics
from outdialer.api.openapi import openapi_document
from outdialer.cli.main import main
from tests.canary.canaries import CANARIES, MADE, NOT_SECRET, SECRETS, found_in, sounds_secret

Named: TypeAlias = tuple[str, str]
"""A place where something comes in or goes out, and its name there."""
CONNECTION = "--key-file"
"""What every command has that talks to a server; the run has its key from the environment."""
PAGING = {"page_token", "next_page_token"}
"""Where a list goes on; anybody can write one."""


def _fields(document: dict[str, Any]) -> Iterator[Named]:
    for name, schema in document["components"]["schemas"].items():
        for field in set(schema.get("properties", {})) - PAGING:
            yield f"{name}.{field}", field


def _parameters(document: dict[str, Any]) -> Iterator[Named]:
    """Parameters by where they stand; of a single path where it is unsecured."""
    for scheme in document["components"]["securitySchemes"].values():
        name = scheme.get("name", "Authorization")
        yield f"{scheme.get('in', 'header')} {name}", name
    for path, item in document["paths"].items():
        for operation in item.values():
            for parameter in operation.get("parameters", []) if isinstance(operation, dict) else []:
                if parameter["name"] not in PAGING:
                    of_path = f" of {path}" if parameter["in"] == "query" else ""
                    yield f"{parameter['in']} {parameter['name']}{of_path}", parameter["name"]


def _options(command: click.Command, name: str) -> Iterator[Named]:
    """The options of a command and of those below it; those that all share are named once, without a command."""
    for parameter in command.params:
        for flag in parameter.opts:
            yield f"{name} {flag}".strip(), flag
    if isinstance(command, click.Group):
        for below, inner in command.commands.items():
            yield from _options(inner, f"{name} {below}".strip())


def test_every_secret_has_a_canary() -> None:
    document = openapi_document(all_resources(RequestMetrics()), "0")
    named = dict([*_fields(document), *_parameters(document), *_options(main, "")])
    sound = {place for place, name in named.items() if sounds_secret(name) and name != CONNECTION}
    rows = {place for canary in CANARIES.values() for place in canary.enters}
    rows |= {place for places in MADE.values() for place in places} - {"OUTDIALER_KEY"}
    assert sound - rows - set(NOT_SECRET) == set(), "give it a canary, or say why it is no secret"
    assert rows | set(NOT_SECRET) <= set(named), "a row of something that is gone"
    assert not rows & set(NOT_SECRET)


def test_no_canary_is_within_another() -> None:
    assert {name: found_in(text, SECRETS) for name, text in SECRETS.items()} == {name: [name] for name in SECRETS}
