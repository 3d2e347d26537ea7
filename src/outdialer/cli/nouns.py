"""What people can name on the command line: one row for each kind of object of the REST API.

The commands that every kind has (list, show, create, update, delete) are made from these rows in ``objects``; what
only one kind can do is in ``verbs``.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, TypeAlias

import click
from msgspec import Struct

from outdialer.cli.options import Destination, Tries, first_line

Fields: TypeAlias = dict[str, Any]
STATUSES = ("available", "away", "busy", "offline")
ROLES = "32 owner, 64 manager, 256 operator, 512 viewer"
EXISTING_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


class Option(Struct, frozen=True, kw_only=True):
    """An option of ``create`` and ``update`` and what it means to the API."""

    flag: str
    help: str
    fields: Callable[[Any], Fields]
    kind: Any = str
    multiple: bool = False
    refers_to: str = ""
    """The noun whose name or id this is."""

    @property
    def name(self) -> str:
        """Its name as a parameter of the command."""
        return self.flag.removeprefix("--").replace("-", "_")


class Noun(Struct, frozen=True, kw_only=True):
    """One kind of object."""

    name: str
    resource: str
    """The attribute of the client."""
    about: str
    columns: tuple[str, ...]
    options: tuple[Option, ...] = ()
    commands: tuple[str, ...] = ("list", "show", "create", "update", "delete")
    examples: Mapping[str, str] = {}
    parent: str = ""
    """The noun without which it cannot be named: targets are of an outdial."""
    named: bool = True
    """Whether it can be found by its name: kinds of which there are millions cannot."""
    usual: Fields = {}
    """What ``create`` sends where nothing else is given, because the API would do otherwise than people expect."""
    single: bool = False
    """There is exactly one, which needs no name."""


def _plain(flag: str, field: str, help: str, kind: Any = str) -> Option:
    return Option(flag=flag, help=help, kind=kind, fields=lambda value: {field: value})


def _reference(flag: str, field: str, noun: str) -> Option:
    return Option(flag=flag, help=f"Name or id of the {noun}.", refers_to=noun, fields=lambda value: {field: value})


def _seconds(flag: str, field: str, help: str, kind: click.ParamType[Any]) -> Option:
    return Option(flag=flag, help=help, kind=kind, fields=lambda value: {field: value * 1_000})


def _script(action: Fields) -> Fields:
    return {"actions": [action, {"type": "hangup", "option": {}}]}


def _play(source: str) -> Fields:
    url = str(Path(source).resolve()) if Path(source).is_file() else source
    return _script({"type": "play", "option": {"stream_urls": [url]}})


def _parties(numbers: tuple[str, ...]) -> Fields:
    if len(numbers) > 5:
        raise click.UsageError(f"--to stands {len(numbers)} times; a target has up to five destinations")
    return {f"destination_{index}": {"target": number} for index, number in enumerate(numbers)}


def _tries(counts: tuple[int, ...]) -> Fields:
    return {f"max_try_count_{index}": count for index, count in enumerate(counts)}


NAME = _plain("--name", "name", "For people.")
DETAIL = _plain("--detail", "detail", "More words for people.")

NOUNS = (
    Noun(
        name="campaign",
        resource="campaigns",
        about="Who is called, how, and what happens on answer.",
        columns=("id", "name", "status", "end_handle", "dial_rate", "dial_channels", "tm_create"),
        options=(
            NAME,
            DETAIL,
            _reference("--outplan", "outplan_id", "outplan"),
            _reference("--outdial", "outdial_id", "outdial"),
            Option(
                flag="--say",
                help="Text to speak on answer.",
                fields=lambda text: _script({"type": "talk", "option": {"text": text}}),
            ),
            Option(flag="--play", help="URL, or WAV file in the server's --sounds folder, to play.", fields=_play),
            _plain(
                "--end-handle",
                "end_handle",
                "stop: it ends when everybody is done; continue: it waits for more people.",
                click.Choice(["stop", "continue"]),
            ),
            _plain("--rate", "dial_rate", "Calls/s; 0: the trunk's limit alone.", click.FloatRange(0, 1_000)),
            _plain(
                "--channels", "dial_channels", "Calls up at once; 0: the trunk's limit.", click.IntRange(0, 100_000)
            ),
            _reference("--next", "next_campaign_id", "campaign"),
        ),
        examples={
            "create": 'outdialer campaign create --name spring --outplan gentle --outdial spring --say "Good morning."',
            "update": "outdialer campaign update spring --rate 2.5",
        },
    ),
    Noun(
        name="outplan",
        resource="outplans",
        about="How and when to dial.",
        columns=("id", "name", "source", "dial_timeout", "try_interval", "max_try_count_0", "tm_create"),
        options=(
            NAME,
            DETAIL,
            Option(
                flag="--from",
                help="Caller id, an E.164 number or a SIP URI.",
                kind=Destination(),
                fields=lambda number: {"source": {"target": number}},
            ),
            _seconds("--ring", "dial_timeout", "Seconds to ring.", click.IntRange(1, 600)),
            _seconds("--retry-after", "try_interval", "Seconds between tries.", click.IntRange(0, 31_536_000)),
            Option(
                flag="--tries",
                help="Per destination; the last goes on. Of a new one: 3 if not given.",
                kind=Tries(),
                fields=_tries,
            ),
            _plain(
                "--redial-answered",
                "redial_answered",
                "Call people again who answered, if the call failed. A new one does not if not given.",
                bool,
            ),
        ),
        usual=_tries((3, 3, 3, 3, 3)) | {"redial_answered": False},
        examples={
            "create": "outdialer outplan create --name gentle --from +12025550100 --ring 25 --tries 3,1",
            "update": "outdialer outplan update gentle --retry-after 7200",
        },
    ),
    Noun(
        name="outdial",
        resource="outdials",
        about="Lists of people.",
        columns=("id", "name", "campaign_id", "tm_create"),
        options=(
            NAME,
            DETAIL,
            _plain("--data", "data", "Free text, for scripts."),
            _reference("--campaign", "campaign_id", "campaign"),
        ),
        examples={
            "create": "outdialer outdial create --name spring",
            "update": "outdialer outdial update spring --detail 'customers of last spring'",
        },
    ),
    Noun(
        name="target",
        resource="targets",
        about="The people of a list.",
        columns=("id", "name", "status", "done_reason", "destination_0", "try_count_0", "tm_due"),
        options=(
            NAME,
            DETAIL,
            _plain("--data", "data", "Free text, for scripts."),
            Option(
                flag="--to",
                help="An E.164 number or a SIP URI; up to five times.",
                kind=Destination(),
                multiple=True,
                fields=_parties,
            ),
        ),
        commands=("list", "show", "create", "delete"),
        parent="outdial",
        named=False,
        examples={"create": "outdialer target create --outdial spring --name Ada --to +12025550123"},
    ),
    Noun(
        name="attempt",
        resource="campaigncalls",
        about="One try of one destination each, with what came of it (campaigncalls).",
        columns=("id", "status", "result", "destination", "try_count", "hangup_reason", "hangup_detail", "tm_create"),
        commands=("list", "show", "delete"),
        named=False,
    ),
    Noun(
        name="call",
        resource="calls",
        about="Calls as SIP knows them.",
        columns=("id", "status", "destination", "hangup_reason", "hangup_detail", "tm_create"),
        commands=("list", "show"),
        named=False,
    ),
    Noun(
        name="key",
        resource="accesskeys",
        about="Access keys: credentials of programs.",
        columns=("id", "name", "permission", "token_prefix", "tm_expire", "tm_create", "tm_delete"),
        options=(
            NAME,
            DETAIL,
            Option(
                flag="--days",
                help="Days until it opens nothing.",
                kind=click.IntRange(1, 36_500),
                fields=lambda days: {"expire": days * 86_400},
            ),
            Option(
                flag="--allow",
                help="A network or address from which it opens anything; repeatable. Default: everywhere.",
                multiple=True,
                fields=lambda networks: {"allowed_ips": list(networks)},
            ),
            _plain("--permission", "permission", f"What it may do at most: {ROLES}.", click.IntRange(0)),
        ),
        commands=("list", "show", "update"),
        examples={"update": "outdialer key update importer --allow 192.0.2.0/24"},
    ),
    Noun(
        name="agent",
        resource="agents",
        about="People who take calls or run the place.",
        columns=("id", "username", "name", "status", "permission", "addresses"),
        options=(
            NAME,
            DETAIL,
            _plain("--username", "username", "An e-mail address."),
            Option(
                flag="--password-file",
                help="Its first line is the password.",
                kind=EXISTING_FILE,
                fields=lambda path: {"password": first_line(path, "a password")},
            ),
            _plain("--status", "status", "Whether they take calls.", click.Choice(STATUSES)),
            _plain("--permission", "permission", f"What they may do: 16 agent, {ROLES}.", click.IntRange(0)),
            Option(
                flag="--to",
                help="Where they are rung: an E.164 number or a SIP URI; repeatable.",
                kind=Destination(),
                multiple=True,
                fields=lambda numbers: {"addresses": [{"target": number} for number in numbers]},
            ),
        ),
        examples={
            "create": "outdialer agent create --username ada@company.example --password-file ada.txt --to +12025550111",
            "update": "outdialer agent update Ada --status available",
        },
    ),
    Noun(
        name="queue",
        resource="queues",
        about="Where answered calls wait for agents.",
        columns=("id", "name", "routing_method", "tag_ids", "tm_create"),
        options=(NAME, DETAIL),
        examples={
            "create": "outdialer queue create --name sales --set wait_timeout=60000",
            "update": "outdialer queue update sales --set routing_method=random",
        },
    ),
    Noun(
        name="tag",
        resource="tags",
        about="Skills and teams.",
        columns=("id", "name", "detail", "tm_create"),
        options=(NAME, DETAIL),
        examples={"create": "outdialer tag create --name english", "update": "outdialer tag update english --name en"},
    ),
    Noun(
        name="flow",
        resource="flows",
        about="Call scripts with a name.",
        columns=("id", "name", "actions", "tm_create"),
        options=(NAME, DETAIL),
        examples={
            "create": """outdialer flow create --name hello --set 'actions=[{"type": "answer"}]'""",
            "update": "outdialer flow update hello --detail 'says hello'",
        },
    ),
    Noun(
        name="webhook",
        resource="webhooks",
        about="Places that events are delivered to.",
        columns=("id", "name", "uri", "status", "disabled_reason", "tm_create"),
        options=(
            NAME,
            DETAIL,
            _plain("--uri", "uri", "https://host/path, at a public address."),
            Option(
                flag="--event",
                help="A type of event; repeatable. Default: all.",
                multiple=True,
                fields=lambda types: {"event_types": list(types)},
            ),
        ),
        examples={
            "create": "outdialer webhook create --name crm --uri https://crm.example/hook --event call_hangup",
            "update": "outdialer webhook update crm --uri https://crm.example/new",
        },
    ),
    Noun(
        name="customer",
        resource="customer",
        about="The tenant that the access key belongs to.",
        columns=("id", "name"),
        options=(NAME, DETAIL, _plain("--email", "email", "An e-mail address.")),
        commands=("show", "update"),
        single=True,
        examples={"update": "outdialer customer update --name 'Example Ltd'"},
    ),
)
BY_NAME = {noun.name: noun for noun in NOUNS}


def split_pairs(pairs: tuple[str, ...], flag: str) -> Iterator[tuple[str, str]]:
    """Name and value of each ``FIELD=VALUE``.

    Raises:
        click.UsageError: one is no pair.
    """
    for pair in pairs:
        name, mark, text = pair.partition("=")
        if not mark or not name:
            raise click.UsageError(f"{flag} {pair!r}: write FIELD=VALUE")
        yield name, text


def set_fields(pairs: tuple[str, ...]) -> Fields:
    """What ``--set FIELD=VALUE`` means: a value is JSON where it can be read as such, else text.

    Raises:
        click.UsageError: one is no pair, or a password, which would be seen by every user of the machine.
    """
    fields: Fields = {}
    for name, text in split_pairs(pairs, "--set"):
        if name == "password":
            raise click.UsageError("--set password=...: every user of the machine could read it; use --password-file")
        fields[name] = _value(text)
    return fields


def _value(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text
