"""How commands reach a running server: where it is, which key opens it, and what to do when that fails.

A key is never an option: what stands on a command line can be read by every user of the machine. It comes from the
file that ``--key-file`` names, from the environment, or from the file in which ``serve`` keeps its first one.
"""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import click

from outdialer.cli.exits import SERVER, STORE, USAGE, Stop
from outdialer.cli.options import first_line, is_loopback
from outdialer.config import ENVIRONMENT_PREFIX, data_folder

if TYPE_CHECKING:
    from outdialer.client import AsyncClient, Client

CONNECTION = ("server", "key_file", "as_json")
"""The names of the options that every command has."""
TRIES = 2
"""How often a request is sent: somebody sits there and waits to hear that the server is not running."""
DEFAULT_SERVER = "http://127.0.0.1:8080"
KEY = "an access key"
KEY_VARIABLE = f"{ENVIRONMENT_PREFIX}KEY"
KEY_HELP = (
    "an access key comes from --key-file FILE, from the variable OUTDIALER_KEY, or, for a server on this machine, "
    "from the file in which `outdialer serve` keeps its first one; `outdialer key create` makes more"
)


def connection_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options of every command that talks to a server."""
    options = (
        click.option(
            "--server",
            envvar=f"{ENVIRONMENT_PREFIX}SERVER",
            default=DEFAULT_SERVER,
            show_default=True,
            metavar="URL",
            help="Where the server is.",
        ),
        click.option(
            "--key-file",
            envvar=f"{ENVIRONMENT_PREFIX}KEY_FILE",
            type=click.Path(dir_okay=False, path_type=Path),
            help="Its first line is the access key.",
        ),
        click.option("--json", "as_json", is_flag=True, help="JSON: an object, or one per line."),
    )
    for option in reversed(options):
        command = option(command)
    return command


def open_client(server: str, key_file: Path | None) -> "Client":
    """A client that blocks.

    Raises:
        Stop: there is no key.
    """
    from outdialer.client import Client, Retries

    return Client(_address(server), find_key(server, key_file), retries=Retries(tries=TRIES))


def open_async_client(server: str, key_file: Path | None) -> "AsyncClient":
    """A client that awaits.

    Raises:
        Stop: there is no key.
    """
    from outdialer.client import AsyncClient, Retries

    return AsyncClient(_address(server), find_key(server, key_file), retries=Retries(tries=TRIES))


def _address(server: str) -> str:
    if urlsplit(server).scheme not in ("http", "https") or not urlsplit(server).hostname:
        raise Stop(f"{server!r} is not the address of a server; write {DEFAULT_SERVER}")
    return server.rstrip("/").removesuffix("/v1.0")


def find_key(server: str, key_file: Path | None) -> str:
    """The access key to use.

    The key that ``serve`` keeps on this machine goes to no other machine.

    Raises:
        Stop: there is none, or its file cannot be read.
    """
    if key_file is not None:
        return first_line(key_file, KEY)
    if os.environ.get(KEY_VARIABLE):
        return os.environ[KEY_VARIABLE].strip()
    kept = _kept_key_file()
    if is_loopback(urlsplit(server).hostname or "") and kept.exists():
        return first_line(kept, KEY)
    raise Stop(f"no access key for {server}: {KEY_HELP}")


def _kept_key_file() -> Path:
    db = os.environ.get(f"{ENVIRONMENT_PREFIX}SERVE_DB")
    return Path(db).with_suffix(".key") if db else data_folder() / "outdialer.key"


COMMANDS = {
    "PUT /campaigns/{id}/resource_info": "`outdialer campaign update NAME --outplan NAME --outdial NAME`",
    "PUT /outdials/{id}/campaign_id": '`outdialer outdial update NAME --campaign ""`',
}
"""Operations of the API that its messages advise, as commands."""


def _as_commands(message: str) -> str:
    for operation, words in COMMANDS.items():
        message = message.replace(operation, words)
    return message


@contextmanager
def explained(listing: str = "") -> Iterator[None]:
    """Ends the program with what to do, whatever a client raises.

    ``listing`` is the command that shows what exists.
    """
    from outdialer import client

    try:
        yield
    except client.Unreachable as error:
        raise Stop(f"{error}. Is it running? Start one: outdialer serve", SERVER) from None
    except client.Unauthenticated as error:
        raise Stop(f"{error.message} Keys: {KEY_HELP}", USAGE) from None
    except client.NotFound as error:
        raise Stop(f"{error.message} What exists: {listing}" if listing else error.message) from None
    except client.Unavailable as error:
        raise Stop(error.message, STORE) from None
    except client.Refused as error:
        message = _as_commands(error.message)
        raise Stop(f"{message} ({error.reason})" if error.reason else message) from None
    except client.ClientError as error:
        raise Stop(str(error)) from None
