"""``outdialer campaign list`` and the like: the commands that every kind of object has."""

import inspect
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from typing import TYPE_CHECKING, Any

import click

from outdialer.cli.connection import CONNECTION, connection_options, explained, open_client
from outdialer.cli.exits import Stop
from outdialer.cli.nouns import BY_NAME, Fields, Noun, Option, set_fields, split_pairs

if TYPE_CHECKING:
    from outdialer.client import Client

SHOWN = 50
LONGEST_PART = 3
"""As many characters of an id at least must be given."""
FIELDS_HELP = "Any other field of the API: --set FIELD=VALUE, the value as JSON or as text; repeatable."
Command = Callable[..., Any]


def group(noun: Noun) -> click.Group:
    """The group of a noun with the commands that its row names."""
    made = click.Group(noun.name, help=noun.about)
    for name in noun.commands:
        made.add_command(_MAKERS[name](noun))
    return made


@contextmanager
def connected(given: dict[str, Any], noun: Noun) -> Iterator["Client"]:
    """A client for one command, with its errors explained."""
    listing = f"outdialer {noun.name} {'list' if 'list' in noun.commands else 'show'}"
    listing += f" --{noun.parent} {noun.parent.upper()}" if noun.parent else ""
    with open_client(given["server"], given["key_file"]) as client, explained(listing):
        yield client


def command(noun: Noun, name: str, about: str, example: str = "") -> Callable[[Command], click.Command]:
    """Declare a command of a noun: with the options of the connection, its parent's name, and an example."""

    def declare(callback: Command) -> click.Command:
        if noun.parent:
            callback = click.option(
                f"--{noun.parent}", "parent", required=True, help=f"Name or id of the {noun.parent}."
            )(callback)
        shown = f"Example: {example or noun.examples.get(name) or _example(noun, name)}"
        made = click.command(name, help=about, epilog=shown)(connection_options(callback))
        made.params.sort(key=lambda parameter: parameter.name in CONNECTION)
        return made

    return declare


def _example(noun: Noun, name: str) -> str:
    parent = f" --{noun.parent} spring" if noun.parent else ""
    what = "" if name == "list" or noun.single else " spring" if noun.named else f" {noun.name.upper()}_ID"
    return f"outdialer {noun.name} {name}{what}{parent}{' --yes' if name == 'delete' else ''}"


def object_argument(noun: Noun) -> Callable[[Command], Command]:
    """The argument that names an object."""
    if noun.single:
        return lambda callback: callback
    return click.argument("wanted", metavar="NAME|ID" if noun.named else "ID")


def parent_ids(client: "Client", noun: Noun, given: dict[str, Any]) -> tuple[str, ...]:
    """The id that stands before an object's own in every request: its parent's, if it has one."""
    return (find_id(client, BY_NAME[noun.parent], given["parent"]),) if noun.parent else ()


def ids_of(client: "Client", noun: Noun, given: dict[str, Any]) -> tuple[str, ...]:
    """The ids that name the object of a command."""
    own = () if noun.single else (find_id(client, noun, given["wanted"]),)
    return parent_ids(client, noun, given) + own


def find_id(client: "Client", noun: Noun, wanted: str) -> str:
    """The id of the object that a person means: by its id, its name, or the beginning or end of its id.

    Raises:
        Stop: nothing is called so, or several things are.
    """
    if not noun.named or is_id(wanted):
        return wanted
    rows = getattr(client, noun.resource).list()
    return the_one(noun.name, wanted, [(row.id, row.name, getattr(row, "username", row.name)) for row in rows])


def the_one(noun: str, wanted: str, things: Sequence[tuple[str, ...]]) -> str:
    """The id of the thing that a person means, each given as its id and its names.

    Raises:
        Stop: nothing is called so, or several things are.
    """
    called = [thing for thing in things if wanted in thing[1:]]
    found = called or [thing for thing in things if len(wanted) > LONGEST_PART and _is_part(wanted, thing[0])]
    if len(found) == 1:
        return found[0][0]
    if not found:
        raise Stop(f"there is no {noun} {wanted!r}; what exists: outdialer {noun} list")
    choices = ", ".join(f"{thing[0]} ({thing[1]})" for thing in found[:5])
    raise Stop(f"{len(found)} {noun}s are called {wanted!r}; name one by its id: {choices}")


def is_id(text: str) -> bool:
    """Whether a text is a whole id, rather than a name or a part of an id."""
    digits = text.replace("-", "")
    return len(digits) == 32 and all(digit in "0123456789abcdefABCDEF" for digit in digits)


def _is_part(text: str, of_id: str) -> bool:
    return of_id.startswith(text.lower()) or of_id.endswith(text.lower())


def show(thing: Any, as_json: bool) -> None:
    """Print an object for people or programs."""
    from outdialer.cli.printing import print_json, print_object

    (print_json if as_json else print_object)(thing)


def show_rows(noun: Noun, rows: Iterator[Any], limit: int, as_json: bool) -> None:
    """Print a list, newest first, up to a limit (0: all of it)."""
    from outdialer.cli.printing import print_json, print_rows

    if as_json:
        for row in islice(rows, limit or None):
            print_json(row)
        return
    shown = list(islice(rows, limit or None))
    print_rows("", noun.columns, shown)
    if limit and next(rows, None) is not None:
        print(f"these are the newest {limit}; more: --limit 0")


def _list(noun: Noun) -> click.Command:
    @command(noun, "list", f"List {noun.name}s, newest first.")
    @click.option("--limit", default=SHOWN, show_default=True, type=click.IntRange(0), help="Rows; 0: all.")
    @click.option("--filter", "filters", multiple=True, metavar="FIELD=VALUE", help="A filter of the API; repeatable.")
    def list_objects(limit: int, filters: tuple[str, ...], as_json: bool, **given: Any) -> None:
        with connected(given, noun) as client:
            method = getattr(client, noun.resource).list
            wanted = dict(split_pairs(filters, "--filter"))
            _check_known(wanted, parameters(method) - {"page_size", "page_token"}, "filter")
            show_rows(noun, method(*parent_ids(client, noun, given), **wanted), limit, as_json)

    return list_objects


def _show(noun: Noun) -> click.Command:
    @command(noun, "show", f"Show all of {_one(noun)}.")
    @object_argument(noun)
    def show_object(as_json: bool, **given: Any) -> None:
        with connected(given, noun) as client:
            show(getattr(client, noun.resource).get(*ids_of(client, noun, given)), as_json)

    return show_object


def _create(noun: Noun) -> click.Command:
    @command(noun, "create", f"Create {_one(noun)}.")
    @field_options(noun)
    def create_object(as_json: bool, **given: Any) -> None:
        with connected(given, noun) as client:
            method = getattr(client, noun.resource).create
            fields = {**noun.usual, **fields_of(client, noun, given)}
            _check_known(fields, parameters(method), "field")
            _check_complete(noun, fields, method)
            show(method(*parent_ids(client, noun, given), **fields), as_json)

    return create_object


def _update(noun: Noun) -> click.Command:
    @command(noun, "update", f"Change {_one(noun)}; what is not named keeps its value.")
    @object_argument(noun)
    @field_options(noun)
    def update_object(as_json: bool, **given: Any) -> None:
        with connected(given, noun) as client:
            fields = fields_of(client, noun, given)
            if not fields:
                raise click.UsageError("name at least one thing to change")
            resource = getattr(client, noun.resource)
            changes = _sorted_out(resource, fields)
            ids = ids_of(client, noun, given)
            for method, part in changes.items():
                changed = getattr(resource, method)(*ids, **part)
            show(changed, as_json)

    return update_object


def _delete(noun: Noun) -> click.Command:
    @command(noun, "delete", f"Delete {_one(noun)}.")
    @object_argument(noun)
    @click.option("--yes", is_flag=True, help="Do not ask.")
    def delete_object(yes: bool, as_json: bool, **given: Any) -> None:
        with connected(given, noun) as client:
            ids = ids_of(client, noun, given)
            confirm(f"Delete the {noun.name} {given['wanted']}?", yes)
            show(getattr(client, noun.resource).delete(*ids), as_json)

    return delete_object


def confirm(question: str, yes: bool) -> None:
    """Ask before something is done that cannot be undone.

    Raises:
        Stop: the answer was not yes, or there is nobody to ask.
    """
    if yes:
        return
    if not sys.stdin.isatty():
        raise Stop("there is no terminal to ask: give --yes")
    if not click.confirm(question, default=False, err=True):
        raise Stop("nothing was changed")


def field_options(noun: Noun) -> Callable[[Command], Command]:
    """The options of ``create`` and ``update`` of a noun."""

    def declare(callback: Command) -> Command:
        callback = click.option("--set", "pairs", multiple=True, metavar="FIELD=VALUE", help=FIELDS_HELP)(callback)
        for option in reversed(noun.options):
            callback = _declared(option)(callback)
        return callback

    return declare


def _declared(option: Option) -> Callable[[Command], Command]:
    if option.kind is bool:
        both = f"{option.flag}/--no-{option.flag.removeprefix('--')}"
        return click.option(both, option.name, default=None, help=option.help)
    return click.option(option.flag, option.name, type=option.kind, multiple=option.multiple, help=option.help)


def fields_of(client: "Client", noun: Noun, given: dict[str, Any]) -> Fields:
    """The fields of the API that a command's options mean."""
    fields: Fields = {}
    for option in noun.options:
        value = given.get(option.name)
        if value is None or value == ():
            continue
        if option.refers_to and value:
            value = find_id(client, BY_NAME[option.refers_to], value)
        fields |= option.fields(value)
    return fields | set_fields(given["pairs"])


def parameters(method: Callable[..., Any]) -> set[str]:
    """The fields that an operation of the client takes."""
    signature = inspect.signature(method)
    named = {name for name, about in signature.parameters.items() if about.kind is inspect.Parameter.KEYWORD_ONLY}
    return named - {"if_match"}


def _check_known(fields: Fields, known: set[str], what: str) -> None:
    for name in fields:
        if name not in known:
            there_are = ", ".join(sorted(known)) or "none"
            raise click.UsageError(f"there is no {what} {name!r} here; there are: {there_are}")


def _check_complete(noun: Noun, fields: Fields, method: Callable[..., Any]) -> None:
    signature = inspect.signature(method)
    for name in sorted(parameters(method) - fields.keys()):
        if signature.parameters[name].default is inspect.Parameter.empty:
            flags = [option.flag for option in noun.options if option.name.startswith(name)]
            raise click.UsageError(f"the field {name} is missing; give {flags[0] if flags else f'--set {name}=...'}")


def _sorted_out(resource: Any, fields: Fields) -> dict[str, Fields]:
    """Which operation changes which of the fields; the API has one for those that belong together."""
    methods = sorted(name for name in dir(resource) if name == "update" or name.startswith("update_"))
    known = {name: parameters(getattr(resource, name)) for name in methods}
    _check_known(fields, set().union(*known.values()), "field")
    changes: dict[str, Fields] = {}
    for field, value in fields.items():
        method = next(name for name in methods if field in known[name])
        changes.setdefault(method, {})[field] = value
    return changes


def _one(noun: Noun) -> str:
    if noun.single:
        return f"the {noun.name}"
    return f"an {noun.name}" if noun.name[0] in "aeiou" else f"a {noun.name}"


_MAKERS = {"list": _list, "show": _show, "create": _create, "update": _update, "delete": _delete}
