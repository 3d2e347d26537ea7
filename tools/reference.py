"""Writes docs/reference and the generated client from the code, or checks that they are up to date (``--check``)."""

import inspect
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import click

from outdialer import __version__
from outdialer.api.app import all_resources
from outdialer.api.events.render import EVENT_TYPES, meaning_of
from outdialer.api.metrics import RequestMetrics
from outdialer.api.openapi import openapi_document
from outdialer.carriers.simulator.behaviours import table
from outdialer.cli.connection import CONNECTION, connection_options
from outdialer.cli.exits import MEANINGS
from outdialer.cli.main import main as command_line
from outdialer.config import ENVIRONMENT_PREFIX
from outdialer.engine.crash import POINTS, REQUEST_POINTS
from outdialer.flow.actions import EXECUTABLE, ActionType
from outdialer.telemetry import ACTIONS as LOG_ACTIONS
from outdialer.telemetry import Metrics
from tools import client

FOLDER = Path(__file__).parent.parent / "docs" / "reference"
NOTICE = "<!-- Made by tools/reference.py from the code; `make docs` writes it anew. -->\n"


def _command_line() -> str:
    parts = ["# Command line\n", NOTICE]
    parts.append("\nThe commands for a running server are shown at work in [commands](../cli.md).\n")
    shared = click.Command("shared", params=_connection())
    parts += ["All of them take, beside their own:\n", _options(shared.params, "", click.Context(shared))]
    parts += _commands(command_line, "outdialer")
    parts.append("\n## Exit codes\n\n| code | meaning |\n| --- | --- |\n")
    parts += [f"| {code} | {meaning} |\n" for code, meaning in MEANINGS.items()]
    return "".join(parts)


def _commands(group: click.Group, path: str) -> Iterator[str]:
    for name in sorted(group.commands):
        command = group.commands[name]
        if isinstance(command, click.Group):
            yield from _commands(command, f"{path} {name}")
        else:
            yield _command(command, f"{path} {name}")


def _command(command: click.Command, path: str) -> str:
    context = click.Context(command, info_name=path, terminal_width=100)
    arguments = [part.make_metavar(context) for part in command.params if isinstance(part, click.Argument)]
    parts = [f"\n## {' '.join([path, *arguments])}\n\n{inspect.cleandoc(command.help or '')}\n"]
    example = (command.epilog or "").partition("Example: ")[2]
    if example:
        parts.append(f"\n```\n{example}\n```\n")
    own = [part for part in command.params if part.name not in CONNECTION]
    return "".join([*parts, _options(own, f"{path.removeprefix('outdialer ').replace(' ', '_')}_", context)])


def _connection() -> list[click.Parameter]:
    @click.command()
    @connection_options
    def shared(**_: object) -> None:
        """Stand for every command that talks to a server."""

    return shared.params


def _options(parameters: Sequence[click.Parameter], prefix: str, context: click.Context) -> str:
    options = [part for part in parameters if isinstance(part, click.Option)]
    head = "\n| option | environment | default | meaning |\n| --- | --- | --- | --- |\n"
    return head + "".join(_option_row(prefix, option, context) for option in options) if options else ""


def _option_row(prefix: str, option: click.Option, context: click.Context) -> str:
    names = ", ".join(f"`{name}`" for name in option.opts)
    variable = option.envvar or (f"{ENVIRONMENT_PREFIX}{prefix}{option.name}".upper() if prefix else "")
    environment = f"`{variable}`" if variable else ""
    default = option.get_default(context, call=False)
    shown = "" if default in (None, "", (), False) or "UNSET" in repr(default) else str(default)
    return f"| {names} | {environment} | {_cell(shown)} | {_cell(option.help or '')} |\n"


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


def _table(title: str, intro: str, columns: tuple[str, str], rows: dict[str, str]) -> str:
    lines = [f"# {title}\n", NOTICE, f"\n{intro}\n\n", f"| {columns[0]} | {columns[1]} |\n| --- | --- |\n"]
    lines += [f"| `{name}` | {_cell(meaning)} |\n" for name, meaning in rows.items()]
    return "".join(lines)


def _metrics() -> str:
    rows = {metric.name: metric.documentation for metric in Metrics().registry.collect()}
    return _table("Metrics", "Served at `/metrics` in the Prometheus text form.", ("metric", "meaning"), rows)


def _events() -> str:
    intro = "How they are told is in [Events](../events.md). The data is the object, as its GET answered then."
    rows = {name: meaning_of(name) for name in EVENT_TYPES}
    return _table("Events", intro, ("event", "meaning"), rows)


def _actions() -> str:
    parts = ["# Actions of a call script\n", NOTICE, "\nA known action that does not run yet is refused with 409.\n"]
    parts.append("\n| action | runs | options |\n| --- | --- | --- |\n")
    for action in ActionType:
        options = EXECUTABLE.get(action)
        fields = ", ".join(f"`{name}`" + ("*" if field.required else "") for name, field in (options or {}).items())
        parts.append(f"| `{action}` | {'not yet' if options is None else 'yes'} | {fields} |\n")
    return "".join([*parts, "\n\\* required\n"])


def _rest() -> str:
    document = openapi_document(all_resources(RequestMetrics()), __version__)
    parts = ["# REST API\n", NOTICE, "\nThe full description is the OpenAPI document at `/openapi.json`.\n"]
    parts.append("\n| operation | meaning |\n| --- | --- |\n")
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            if method in ("get", "post", "put", "delete", "patch"):
                parts.append(f"| `{method.upper()} {path}` | {_cell(operation.get('summary') or '')} |\n")
    return "".join(parts)


def pages() -> Iterator[tuple[Path, str]]:
    """Every generated page with its text."""
    yield FOLDER / "command-line.md", _command_line()
    yield FOLDER / "rest.md", _rest()
    yield FOLDER / "actions.md", _actions()
    yield FOLDER / "metrics.md", _metrics()
    yield FOLDER / "events.md", _events()
    yield (
        FOLDER / "log-records.md",
        _table(
            "Log records", "JSON Lines on standard error; each has an `action`.", ("action", "meaning"), LOG_ACTIONS
        ),
    )
    yield (
        FOLDER / "crash-points.md",
        _table(
            "Crash points",
            "Where tests kill the engine.",
            ("point", "what a crash there leaves"),
            POINTS | REQUEST_POINTS,
        ),
    )
    yield FOLDER / "phones.md", f"# The built-in phone network\n{NOTICE}\n```\n{table()}\n```\n"
    yield from _client()


def _client() -> Iterator[tuple[Path, str]]:
    for name, text in client.sources().items():
        yield client.FOLDER / name, text


def stale() -> list[str]:
    """The pages that do not say what the code does."""
    return [path.name for path, text in pages() if not path.exists() or path.read_text(encoding="utf-8") != text]


if __name__ == "__main__":
    if "--check" in sys.argv:
        wrong = stale()
        if wrong:
            sys.exit(f"out of date: {', '.join(wrong)}; run make docs")
    else:
        FOLDER.mkdir(parents=True, exist_ok=True)
        for page, page_text in pages():
            page.write_text(page_text, encoding="utf-8")
