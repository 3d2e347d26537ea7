"""What only some objects can do: campaigns run, targets are imported, calls are hung up, keys rotate."""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

import click

from outdialer.cli.connection import connection_options, explained, open_async_client, open_client
from outdialer.cli.exits import DONE, USAGE, Stop, plain
from outdialer.cli.nouns import BY_NAME, EXISTING_FILE, NOUNS
from outdialer.cli.objects import (
    SHOWN,
    command,
    confirm,
    connected,
    field_options,
    fields_of,
    group,
    ids_of,
    object_argument,
    parent_ids,
    show,
    show_rows,
)

if TYPE_CHECKING:
    from outdialer.cli.people import Person
    from outdialer.client import Client

CAMPAIGN, TARGET, CALL, ATTEMPT = (BY_NAME[name] for name in ("campaign", "target", "call", "attempt"))
KEY, WEBHOOK = BY_NAME["key"], BY_NAME["webhook"]
SAVE_HELP = "Write the key to this file, which only you can read, instead of showing it."


def add_to(main: click.Group) -> None:
    """Put every noun with all that it can do under the main command."""
    groups = {noun.name: group(noun) for noun in NOUNS}
    for noun, verb in _VERBS:
        groups[noun].add_command(verb)
    for made in groups.values():
        main.add_command(made)
    main.add_command(_events)


@click.command("events", epilog="Example: outdialer events --json | jq .type")
@click.option("--topic", "topics", multiple=True, help="What to follow; repeatable. Default: everything.")
@click.option("--after", default="", metavar="EVENT_ID", help="Go on after this event.")
@connection_options
def _events(topics: tuple[str, ...], after: str, as_json: bool, **given: Any) -> None:
    """Print what happens while it happens, until Ctrl-C."""
    from outdialer.cli.printing import cell, print_json

    try:
        with open_client(given["server"], given["key_file"]) as client, explained():
            for event in client.events(topics=topics, last_event_id=after):
                if as_json:
                    print_json(event)
                else:
                    facts = (event.data.get(name) for name in ("id", "name", "status", "reason"))
                    print(event.type, *(cell(fact) for fact in facts if fact), flush=True)
    except KeyboardInterrupt:
        raise SystemExit(DONE) from None


@command(CAMPAIGN, "run", "Start a campaign; one that runs goes on.", "outdialer campaign run spring --watch")
@object_argument(CAMPAIGN)
@click.option("--watch", is_flag=True, help="Follow it until it stops.")
def _run(watch: bool, as_json: bool, **given: Any) -> None:
    with connected(given, CAMPAIGN) as client:
        (campaign_id,) = ids_of(client, CAMPAIGN, given)
        campaign = client.campaigns.run(campaign_id)
    if watch:
        _follow(campaign_id, given)
    else:
        show(campaign, as_json)


@command(CAMPAIGN, "stop", "Stop a campaign: nobody more is called, no call is cut.")
@object_argument(CAMPAIGN)
def _stop(as_json: bool, **given: Any) -> None:
    with connected(given, CAMPAIGN) as client:
        show(client.campaigns.stop(*ids_of(client, CAMPAIGN, given)), as_json)


@command(CAMPAIGN, "stats", "Show where a campaign stands, in numbers, and what it is waiting for.")
@object_argument(CAMPAIGN)
def _stats(as_json: bool, **given: Any) -> None:
    with connected(given, CAMPAIGN) as client:
        show(client.campaigns.get_stats(*ids_of(client, CAMPAIGN, given)), as_json)


@command(CAMPAIGN, "attempts", "List the attempts of a campaign, newest first.")
@object_argument(CAMPAIGN)
@click.option("--limit", default=SHOWN, show_default=True, type=click.IntRange(0), help="Rows; 0: all.")
def _attempts(limit: int, as_json: bool, **given: Any) -> None:
    with connected(given, CAMPAIGN) as client:
        rows = client.campaigns.list_campaigncalls(*ids_of(client, CAMPAIGN, given))
        show_rows(ATTEMPT, rows, limit, as_json)


@command(CAMPAIGN, "watch", "Follow a campaign until it stops. Ctrl-C ends the watching, not the campaign.")
@object_argument(CAMPAIGN)
def _watch(as_json: bool, **given: Any) -> None:
    with connected(given, CAMPAIGN) as client:
        (campaign_id,) = ids_of(client, CAMPAIGN, given)
    _follow(campaign_id, given, as_json=as_json)


def _follow(campaign_id: str, given: dict[str, Any], *, as_json: bool = False) -> None:
    import asyncio

    try:
        asyncio.run(_until_stopped(campaign_id, given, as_json))
    except KeyboardInterrupt:
        click.echo(f"the campaign goes on; to stop it: outdialer campaign stop {plain(given['wanted'])}", err=True)
        raise SystemExit(DONE) from None


async def _until_stopped(campaign_id: str, given: dict[str, Any], as_json: bool) -> None:
    import asyncio

    from outdialer.cli.progress import Progress, print_summary

    async with open_async_client(given["server"], given["key_file"]) as client:
        with explained("outdialer campaign list"):
            if not as_json:
                with Progress(client, campaign_id, given["wanted"]) as progress:
                    await progress.until_stopped(asyncio.Event(), lambda _: "")
                print_summary(await client.campaigns.get_stats(campaign_id))
                return
            while (await client.campaigns.get(campaign_id)).status != "stop":
                show(await client.campaigns.get_stats(campaign_id), as_json)
                await asyncio.sleep(1)
            show(await client.campaigns.get_stats(campaign_id), as_json)


@command(TARGET, "attempts", "Show every attempt to reach a person, and why they are or are not called again.")
@object_argument(TARGET)
def _attempts_of_person(as_json: bool, **given: Any) -> None:
    from outdialer.cli.printing import cell, print_rows
    from outdialer.cli.reasons import Try, story

    with connected(given, TARGET) as client:
        outdial_id, target_id = ids_of(client, TARGET, given)
        person = client.targets.get(outdial_id, target_id)
        attempts = list(client.campaigncalls.list(outdial_target_id=target_id, deleted="true"))
        told = story(person, attempts, _what_it_waits_for(client, outdial_id) if person.status == "idle" else "")
    if as_json:
        show(told, as_json)
        return
    print_rows(cell(told.name), Try.__struct_fields__, told.attempts)
    for line in filter(None, (f"{told.name or told.id} {told.again}", told.campaign)):
        print(cell(line))


def _what_it_waits_for(client: "Client", outdial_id: str) -> str:
    from outdialer.cli.printing import NIL_ID
    from outdialer.cli.reasons import what_the_campaign_does

    campaign_id = client.outdials.get(outdial_id).campaign_id
    if campaign_id == NIL_ID:
        return what_the_campaign_does(None, None)
    return what_the_campaign_does(client.campaigns.get(campaign_id), client.campaigns.get_stats(campaign_id))


@command(
    TARGET,
    "import",
    "Add the people of the CSV file PEOPLE to a list. The file is checked whole before anybody is added.",
    "outdialer target import people.csv --outdial spring",
)
@click.argument("people", type=EXISTING_FILE)
@click.option("--skip-bad", is_flag=True, help="Leave refused rows out.")
@click.option("--again", is_flag=True, help="Add also people whose number the list holds already.")
def _import_people(people: Path, skip_bad: bool, again: bool, as_json: bool, **given: Any) -> None:
    from outdialer.cli.people import ListError, describe_refusals, read_people, target_of

    try:
        found = read_people(people)
    except ListError as error:
        raise Stop(str(error)) from None
    if found.refusals and not skip_bad:
        raise Stop(f"{describe_refusals(found)}\nnobody was added; mend the list, or give --skip-bad to leave rows out")
    with connected(given, TARGET) as client:
        (outdial_id,) = parent_ids(client, TARGET, given)
        if not again:
            _check_new(client, outdial_id, found.rows)
        results = client.targets.add(outdial_id, map(target_of, found.rows))
    refused = [(person, row.error) for person, row in zip(found.rows, results, strict=True) if row.error is not None]
    if as_json:
        for row in results:
            show(row, as_json)
    else:
        print(f"people added: {len(results) - len(refused)}; rows left out: {len(found.refusals) + len(refused)}")
    for person, why in refused:
        click.echo(f"line {person.line} was refused: {plain(why.message)}", err=True)
    if refused:
        raise SystemExit(USAGE)


def _check_new(client: "Client", outdial_id: str, rows: "Sequence[Person]") -> None:
    """See that a list holds none of these people's numbers. It is read to its end, a request for each hundred people.

    Raises:
        Stop: it holds some.
    """
    from outdialer.domain.numbers import person_key

    lines = {person_key(number): (row.line, number) for row in rows for number in row.destinations if number}
    held = {
        person_key(number)
        for target in client.targets.list(outdial_id)
        for index in range(5)
        if (number := getattr(target, f"destination_{index}").target)
    }
    known = sorted(lines[number] for number in held & lines.keys())
    if known:
        line, number = known[0]
        raise Stop(
            f"the list holds {len(known)} of these {len(lines)} numbers already, the first of them {number} "
            f"(line {line}); nobody was added. --again adds them once more, and they are called once more"
        )


@command(CALL, "hangup", "End a call: CANCEL before the answer, BYE after it.")
@object_argument(CALL)
def _hang_up(as_json: bool, **given: Any) -> None:
    with connected(given, CALL) as client:
        show(client.calls.hang_up(given["wanted"]), as_json)


@command(WEBHOOK, "enable", "Deliver to a disabled webhook again.")
@object_argument(WEBHOOK)
def _enable_webhook(as_json: bool, **given: Any) -> None:
    with connected(given, WEBHOOK) as client:
        show(client.webhooks.enable(*ids_of(client, WEBHOOK, given)), as_json)


@command(WEBHOOK, "deliveries", "Show the latest tries of a webhook, and what waits for its next try.")
@object_argument(WEBHOOK)
def _deliveries(as_json: bool, **given: Any) -> None:
    with connected(given, WEBHOOK) as client:
        show(client.webhooks.list_deliveries(*ids_of(client, WEBHOOK, given)), as_json)


@command(
    KEY,
    "create",
    "Make an access key. It is shown this once, or written to --save FILE.",
    "outdialer key create --name importer --days 90 --save importer.key",
)
@field_options(KEY)
@click.option("--save", type=click.Path(dir_okay=False, path_type=Path), help=SAVE_HELP)
def _create_key(save: Path | None, as_json: bool, **given: Any) -> None:
    if save is not None and save.is_file() and save.stat().st_size:
        raise Stop(f"{save} holds something already, maybe another key: name a new file; no key was made")
    with _private_file(save) as file, connected(given, KEY) as client:
        _hand_out(client.accesskeys.create(**fields_of(client, KEY, given)), file, as_json)


@command(
    KEY,
    "rotate",
    "Give an access key another text; the one of before works for --grace seconds more.",
    "outdialer key rotate importer --save importer.key",
)
@object_argument(KEY)
@click.option("--grace", type=click.IntRange(0), help="Seconds; a day if left out.")
@click.option("--save", type=click.Path(dir_okay=False, path_type=Path), help=SAVE_HELP)
def _rotate_key(grace: int | None, save: Path | None, as_json: bool, **given: Any) -> None:
    with _private_file(save) as file, connected(given, KEY) as client:
        _hand_out(client.accesskeys.rotate(*ids_of(client, KEY, given), grace=grace), file, as_json)


@contextmanager
def _private_file(path: Path | None) -> Iterator[TextIO | None]:
    """A file of mode 0600 for a key, opened before the key is made; what it held stays until something is written.

    Raises:
        Stop: it cannot be written.
    """
    if path is None:
        yield None
        return
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT, 0o600)
        os.fchmod(descriptor, 0o600)
    except OSError as error:
        raise Stop(f"{path} cannot be written: {error.strerror}; no key was made") from None
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        yield file


def _hand_out(key: Any, file: TextIO | None, as_json: bool) -> None:
    """Give a new key to the person: in a file, or on the screen."""
    from msgspec.structs import replace

    if file is not None:
        file.truncate()
        file.write(f"{key.token}\n")
        key = replace(key, token="")
    show(key, as_json)


@command(
    KEY, "revoke", "Revoke an access key: it opens nothing from this moment on.", "outdialer key revoke importer --yes"
)
@object_argument(KEY)
@click.option("--yes", is_flag=True, help="Do not ask.")
def _revoke_key(yes: bool, as_json: bool, **given: Any) -> None:
    with connected(given, KEY) as client:
        ids = ids_of(client, KEY, given)
        confirm(f"Revoke the key {given['wanted']}?", yes)
        show(client.accesskeys.delete(*ids), as_json)


_VERBS = (
    *(("campaign", verb) for verb in (_run, _stop, _stats, _attempts, _watch)),
    ("target", _import_people),
    ("target", _attempts_of_person),
    ("call", _hang_up),
    ("webhook", _enable_webhook),
    ("webhook", _deliveries),
    *(("key", verb) for verb in (_create_key, _rotate_key, _revoke_key)),
)
