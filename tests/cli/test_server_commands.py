"""The commands for a running server, against one on loopback."""

import asyncio
import json
import stat
import subprocess
import sys
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any, TypeAlias

import click
import pytest
from click.testing import CliRunner, Result

from outdialer.cli.connection import find_key
from outdialer.cli.exits import DONE, SERVER, USAGE, Stop
from outdialer.cli.main import main
from outdialer.cli.nouns import NOUNS
from outdialer.cli.printing import NIL_ID
from tests.client.conftest import Running

Cli: TypeAlias = Callable[..., Coroutine[Any, Any, Result]]


@pytest.fixture
def cli(running: Running, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Cli:
    """Runs a command in a thread of its own against the server."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("OUTDIALER_SERVER", running.url)
    monkeypatch.setenv("OUTDIALER_KEY", running.key)

    async def invoke(*arguments: str, code: int = DONE) -> Result:
        result = await asyncio.to_thread(CliRunner().invoke, main, arguments)
        assert result.exit_code == code, result.output
        return result

    return invoke


def objects(result: Result) -> list[dict[str, Any]]:
    return [json.loads(line) for line in result.stdout.splitlines()]


async def test_objects_are_made_shown_changed_and_deleted(cli: Cli) -> None:
    await cli("outplan", "create", "--name", "gentle", "--from", "+12025550100", "--ring", "25", "--tries", "2,1")
    (outplan,) = objects(await cli("outplan", "show", "gentle", "--json"))
    assert outplan["dial_timeout"] == 25_000
    assert [outplan[f"max_try_count_{index}"] for index in range(5)] == [2, 1, 1, 1, 1]
    await cli("outplan", "update", "gentle", "--retry-after", "7200", "--detail", "slow", "--no-redial-answered")
    (changed,) = objects(await cli("outplan", "show", outplan["id"], "--json"))
    assert (changed["try_interval"], changed["detail"], changed["redial_answered"]) == (7_200_000, "slow", False)
    assert "gentle" in (await cli("outplan", "list")).output
    await cli("outplan", "delete", outplan["id"][-8:], "--yes")
    assert objects(await cli("outplan", "list", "--json")) == []


@pytest.mark.parametrize(
    ("given", "tries", "redial"),
    [
        ((), [3, 3, 3, 3, 3], False),
        (("--tries", "2,1", "--redial-answered"), [2, 1, 1, 1, 1], True),
        (("--set", "max_try_count_1=0", "--set", "redial_answered=true"), [3, 0, 3, 3, 3], True),
    ],
)
async def test_a_new_outplan_calls_as_run_does(
    cli: Cli, given: tuple[str, ...], tries: list[int], redial: bool
) -> None:
    (outplan,) = objects(await cli("outplan", "create", "--name", "gentle", "--json", *given))
    assert [outplan[f"max_try_count_{index}"] for index in range(5)] == tries
    assert outplan["redial_answered"] is redial
    (changed,) = objects(await cli("outplan", "update", "gentle", "--detail", "slow", "--json"))
    assert ([changed[f"max_try_count_{index}"] for index in range(5)], changed["redial_answered"]) == (tries, redial)


async def test_a_name_cannot_steer_the_terminal(cli: Cli) -> None:
    name = "\x1b]0;owned\x07\x9b2J\u202eevil[/bold]"
    await cli("tag", "create", "--name", name)
    for words in (("list",), ("show", name), ("list", "--json"), ("show", "\x1b[2Jnone")):
        output = (await cli("tag", *words, code=USAGE if "none" in words[-1] else DONE)).output
        assert not {"\x1b", "\x07", "\x9b"} & set(output)
    assert objects(await cli("tag", "list", "--json"))[0]["name"] == name


async def test_a_campaign_from_names_to_its_stop(cli: Cli) -> None:
    await cli("outplan", "create", "--name", "gentle")
    await cli("outdial", "create", "--name", "spring")
    await cli("campaign", "create", "--name", "spring", "--outplan", "gentle", "--outdial", "spring", "--say", "Hello.")
    (campaign,) = objects(await cli("campaign", "show", "spring", "--json"))
    assert [action["type"] for action in campaign["actions"]] == ["talk", "hangup"]
    await cli(
        "target", "create", "--outdial", "spring", "--name", "Ada", "--to", "+12025550123", "--to", "sip:a@127.0.0.1"
    )
    (ada,) = objects(await cli("target", "list", "--outdial", "spring", "--json"))
    assert ada["destination_1"]["target"] == "sip:a@127.0.0.1"
    assert "Ada" in (await cli("target", "show", ada["id"], "--outdial", "spring")).output
    assert objects(await cli("campaign", "run", "spring", "--json"))[0]["status"] == "run"
    await cli("campaign", "update", "spring", "--rate", "2.5", "--next", "", "--set", "service_level=50")
    assert "targets_idle" in (await cli("campaign", "stats", "spring")).output
    assert objects(await cli("campaign", "stop", "spring", "--json"))[0]["status"] in ("stop", "stopping")
    (changed,) = objects(await cli("campaign", "show", "spring", "--json"))
    assert (changed["dial_rate"], changed["service_level"]) == (2.5, 50)
    await cli("campaign", "attempts", "spring")


async def test_watching_ends_with_the_campaign(cli: Cli) -> None:
    await cli("outplan", "create", "--name", "gentle")
    await cli("outdial", "create", "--name", "nobody")
    await cli("campaign", "create", "--name", "brief", "--outplan", "gentle", "--outdial", "nobody", "--say", "x")
    assert "Summary" in (await cli("campaign", "run", "brief", "--watch")).output
    assert objects(await cli("campaign", "watch", "brief", "--json"))[-1]["attempts"] == 0


async def test_advice_of_the_api_is_given_as_commands(cli: Cli) -> None:
    await cli("outplan", "create", "--name", "gentle")
    await cli("outdial", "create", "--name", "people")
    await cli("campaign", "create", "--name", "bare", "--say", "x")
    assert "outdialer campaign update NAME --outplan" in (await cli("campaign", "run", "bare", code=USAGE)).output
    await cli("campaign", "update", "bare", "--outplan", "gentle", "--outdial", "people")
    taken = await cli("campaign", "create", "--name", "second", "--outdial", "people", code=USAGE)
    assert 'outdialer outdial update NAME --campaign ""' in taken.output
    await cli("outdial", "update", "people", "--campaign", "")
    await cli("campaign", "create", "--name", "second", "--outdial", "people")


async def test_the_end_of_watching_says_that_the_campaign_goes_on(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    await cli("campaign", "create", "--name", "long", "--say", "x")

    def interrupted(work: Coroutine[Any, Any, None]) -> None:
        work.close()
        raise KeyboardInterrupt

    monkeypatch.setattr("asyncio.run", interrupted)
    assert "outdialer campaign stop long" in (await cli("campaign", "watch", "long")).output


async def test_a_list_is_imported_whole_or_not_at_all(cli: Cli, tmp_path: Path) -> None:
    await cli("outdial", "create", "--name", "spring")
    people = tmp_path / "people.csv"
    people.write_text("name,destination_0\nAda,+12025550123\nBen,12\n")
    refused = await cli("target", "import", str(people), "--outdial", "spring", code=USAGE)
    assert "line 3" in refused.output
    assert objects(await cli("target", "list", "--outdial", "spring", "--json")) == []
    added = await cli("target", "import", str(people), "--outdial", "spring", "--skip-bad")
    assert "people added: 1; rows left out: 1" in added.output


async def test_a_list_is_imported_twice_only_when_asked(cli: Cli, tmp_path: Path) -> None:
    async def names() -> list[str]:
        listed = objects(await cli("target", "list", "--outdial", "spring", "--json"))
        return sorted(person["name"] for person in listed)

    await cli("outdial", "create", "--name", "spring")
    people = tmp_path / "people.csv"
    people.write_text("name,destination_0,destination_1\nAda,+12025550123,\nBen,+12025550124,+12025550125\n")
    imported = ("target", "import", str(people), "--outdial", "spring")
    await cli(*imported)
    people.write_text("name,destination_0\nCy,+12025550126\nBen,sip:+12025550125@127.0.0.1\nAda,+12025550123\n")
    refused = (await cli(*imported, code=USAGE)).output
    assert "holds 2 of these 3 numbers already, the first of them sip:+12025550125@127.0.0.1 (line 3)" in refused
    assert "--again" in refused
    assert await names() == ["Ada", "Ben"]
    assert "people added: 3" in (await cli(*imported, "--again")).output
    for person in objects(await cli("target", "list", "--outdial", "spring", "--json")):
        await cli("target", "delete", person["id"], "--outdial", "spring", "--yes")
    assert "people added: 3" in (await cli(*imported)).output


async def test_keys_are_made_for_files_and_end(cli: Cli, running: Running, tmp_path: Path) -> None:
    file = tmp_path / "importer.key"
    made = await cli("key", "create", "--name", "importer", "--days", "90", "--save", str(file))
    token = file.read_text().strip()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert token not in made.output
    await cli("tag", "list", "--key-file", str(file))
    await cli("key", "rotate", "importer", "--grace", "0", "--save", str(file))
    assert file.read_text().strip() != token
    await cli("key", "revoke", "importer", "--yes")
    refused = await cli("tag", "list", "--key-file", str(file), code=USAGE)
    assert "OUTDIALER_KEY" in refused.output
    (shown,) = objects(await cli("key", "create", "--json"))
    assert shown["token"].startswith("vb_")


async def test_no_key_is_made_for_a_file_that_cannot_be_written(cli: Cli) -> None:
    before = [key["id"] for key in objects(await cli("key", "list", "--json"))]
    refused = await cli("key", "create", "--save", "gone/importer.key", code=USAGE)
    assert "gone/importer.key cannot be written" in refused.output
    assert [key["id"] for key in objects(await cli("key", "list", "--json"))] == before


async def test_a_new_key_overwrites_no_other(cli: Cli, tmp_path: Path) -> None:
    file = tmp_path / "importer.key"
    file.write_text("vb_before\n")
    refused = await cli("key", "create", "--save", str(file), code=USAGE)
    assert "name a new file" in refused.output
    assert file.read_text() == "vb_before\n"
    file.write_text("")
    await cli("key", "create", "--save", str(file))
    assert file.read_text().startswith("vb_")


async def test_a_key_that_could_not_be_rotated_stays_in_its_file(cli: Cli, tmp_path: Path) -> None:
    file = tmp_path / "importer.key"
    file.write_text("vb_before\n")
    await cli("key", "rotate", "nothing", "--save", str(file), code=USAGE)
    assert file.read_text() == "vb_before\n"


async def test_a_list_inside_of_an_object_is_shown_line_by_line_without_empty_ids(cli: Cli) -> None:
    shown = (await cli("campaign", "create", "--name", "spring", "--say", "Good morning.")).output
    assert 'type=talk option={"text":"Good morning."}' in shown
    assert NIL_ID not in shown


@pytest.mark.parametrize("noun", [noun.name for noun in NOUNS if "list" in noun.commands and not noun.parent])
async def test_everything_can_be_listed(cli: Cli, noun: str) -> None:
    await cli(noun, "list", "--limit", "1")
    await cli(noun, "list", "--json")


async def test_a_filter_goes_out_as_it_was_written(cli: Cli) -> None:
    await cli("tag", "create", "--name", "gone")
    await cli("tag", "delete", "gone", "--yes")
    assert objects(await cli("tag", "list", "--json")) == []
    (shown,) = objects(await cli("tag", "list", "--filter", "deleted=true", "--json"))
    assert shown["name"] == "gone"


async def test_other_objects_are_nearly_free(cli: Cli, tmp_path: Path) -> None:
    await cli("tag", "create", "--name", "english")
    await cli("queue", "create", "--name", "sales", "--set", "wait_timeout=60000")
    assert objects(await cli("queue", "show", "sales", "--json"))[0]["wait_timeout"] == 60_000
    (tmp_path / "ada.txt").write_text("correct horse battery\n")
    await cli(
        "agent", "create", "--username", "ada@company.example", "--password-file", "ada.txt", "--to", "+12025550111"
    )
    await cli("agent", "update", "ada@company.example", "--status", "available")
    assert [
        agent["status"] for agent in objects(await cli("agent", "list", "--filter", "status=available", "--json"))
    ] == ["available"]
    await cli(
        "webhook", "create", "--name", "crm", "--uri", "https://192.0.2.1/hook", "--event", "call_hangup", code=USAGE
    )
    assert objects(await cli("webhook", "list", "--json")) == []
    await cli("customer", "update", "--name", "Example Ltd")
    assert "Example Ltd" in (await cli("customer", "show")).output


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["campaign", "show", "nothing"], USAGE, ["no campaign 'nothing'", "outdialer campaign list"]),
        (["call", "hangup", "0198c0a5-2d5e-7c1e-8f9a-7a4b1d9f0001"], USAGE, ["outdialer call list"]),
        (["call", "show", "x"], USAGE, ["UUID"]),
        (["campaign", "create", "--set", "nonsense=1"], USAGE, ["'nonsense'", "dial_rate"]),
        (["campaign", "create", "--set", "dial_rate=much"], USAGE, ["dial_rate", "much"]),
        (["campaign", "create", "--set", "x"], USAGE, ["FIELD=VALUE"]),
        (["agent", "create", "--set", "password=x"], USAGE, ["--password-file"]),
        (["agent", "create", "--name", "Ada"], USAGE, ["password", "--password-file"]),
        (["agent", "create", "--password-file", "latin.txt"], USAGE, ["latin.txt is not text", "a password"]),
        (["agent", "create", "--password-file", "empty.txt"], USAGE, ["empty.txt", "first line", "a password"]),
        (["agent", "list", "--filter", "status=tired"], USAGE, ["tired", "available"]),
        (["agent", "list", "--filter", "height=2"], USAGE, ["'height'", "status"]),
        (["agent", "list", "--filter", "height"], USAGE, ["--filter 'height'"]),
        (["outplan", "update", "gentle"], USAGE, ["at least one"]),
        (["outdial", "delete", "twin", "--yes"], USAGE, ["2 outdials", "by its id"]),
        (["outdial", "delete", "alone"], USAGE, ["--yes"]),
        (["tag", "list", "--server", "http://127.0.0.1:1"], SERVER, ["outdialer serve"]),
        (["tag", "list", "--server", "localhost"], USAGE, ["http://127.0.0.1:8080"]),
        (["tag", "list", "--key-file", "gone.key"], USAGE, ["gone.key"]),
        (["target", "import", "people.csv"], USAGE, ["people.csv"]),
    ],
)
async def test_errors_say_what_to_do(
    cli: Cli, tmp_path: Path, arguments: list[str], code: int, words: list[str]
) -> None:
    (tmp_path / "latin.txt").write_bytes(b"h\xe9ron\n")
    (tmp_path / "empty.txt").write_bytes(b"")
    for name in ("twin", "twin", "alone"):
        await cli("outdial", "create", "--name", name)
    result = await cli(*arguments, code=code)
    for word in words:
        assert word in result.output


def test_the_kept_key_goes_to_this_machine_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OUTDIALER_KEY", raising=False)
    monkeypatch.setenv("OUTDIALER_SERVE_DB", str(tmp_path / "books.db"))
    with pytest.raises(Stop, match="OUTDIALER_KEY"):
        find_key("http://127.0.0.1:8080", None)
    (tmp_path / "books.key").write_text("vb_kept\n")
    assert find_key("http://127.0.0.1:8080", None) == "vb_kept"
    assert find_key("http://localhost:8080", None) == "vb_kept"
    with pytest.raises(Stop):
        find_key("https://dialer.example", None)


def _commands(group: click.Group) -> list[click.Command]:
    found: list[click.Command] = []
    for made in group.commands.values():
        found += _commands(made) if isinstance(made, click.Group) else [made]
    return found


def test_every_command_shows_an_example_and_hides_keys() -> None:
    for noun in NOUNS:
        group = main.commands[noun.name]
        assert isinstance(group, click.Group)
        for made in _commands(group):
            assert "Example: outdialer" in (made.epilog or "")
            assert not {"--key", "--token", "--password"} & {flag for option in made.params for flag in option.opts}


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_shells_complete(shell: str) -> None:
    result = CliRunner().invoke(main, ["completion", shell])
    assert result.exit_code == 0
    assert "_OUTDIALER_COMPLETE" in result.output


def test_help_waits_for_nothing_heavy() -> None:
    heavy = "asyncio, httpx, numpy, rich, uvicorn"
    program = f"import sys, outdialer.cli.main; print(sorted({{*'{heavy}'.split(', ')}} & sys.modules.keys()))"
    printed = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout
    assert printed == "[]\n"


async def test_why_somebody_was_called_and_is_not_called_again(cli: Cli, running: Running) -> None:
    await cli("outplan", "create", "--name", "gentle", "--from", "+12025550100", "--ring", "1", "--tries", "1")
    await cli("outdial", "create", "--name", "spring")
    await cli("target", "create", "--outdial", "spring", "--name", "Ada", "--to", "+12025550123")
    (ada,) = objects(await cli("target", "list", "--outdial", "spring", "--json"))
    asked = ("target", "attempts", ada["id"], "--outdial", "spring")
    before = (await cli(*asked)).output
    assert "Ada is called at" in before
    assert "at the earliest: the first try\nno campaign calls this list" in before
    await cli("campaign", "create", "--name", "spring", "--outplan", "gentle", "--outdial", "spring", "--say", "Hi.")
    assert "the campaign spring does not run: outdialer campaign run" in (await cli(*asked)).output
    await cli("campaign", "run", "spring", "--watch")
    (told,) = objects(await cli(*asked, "--json"))
    (made,) = (objects(await cli("campaign", "attempts", "spring", "--json")),)
    assert [one["id"] for one in told["attempts"]] == [one["id"] for one in reversed(made)]
    assert told["why"] == told["attempts"][-1]["why"] == f"{made[0]['hangup_reason']}: {made[0]['hangup_detail']}"
    assert told["again"].startswith("is not called again: ")
    assert told["campaign"] == ""
    shown = (await cli(*asked)).output
    assert "+12025550123" in shown
    assert told["again"] in shown


async def test_an_export_names_its_campaign_as_all_commands_do(cli: Cli, tmp_path: Path) -> None:
    for name in ("spring", "autumn", "twin", "twin"):
        await cli("outdial", "create", "--name", name)
        (outdial, *_) = objects(await cli("outdial", "list", "--json"))
        await cli("target", "create", "--outdial", outdial["id"], "--name", f"Ada of {name}", "--to", "+12025550123")
        await cli("campaign", "create", "--name", name, "--outdial", outdial["id"], "--say", "Hi.")
    spring = objects(await cli("campaign", "show", "spring", "--json"))[0]["id"]
    people = tmp_path / "people.jsonl"
    export = ("export", str(tmp_path / "books.db"), "--targets", str(people))
    for wanted, person in ((spring, "spring"), ("spring", "spring"), ("autumn", "autumn"), (spring[-8:], "spring")):
        await cli(*export, "--campaign", wanted)
        assert json.loads(people.read_text())["name"] == f"Ada of {person}"
    await cli(*export)
    assert json.loads(people.read_text())["name"] == "Ada of twin"
    assert "2 campaigns are called 'twin'" in (await cli(*export, "--campaign", "twin", code=USAGE)).output
    assert "there is no campaign 'winter'" in (await cli(*export, "--campaign", "winter", code=USAGE)).output
    nobody = await cli(*export, "--campaign", NIL_ID, code=USAGE)
    assert "there is no such campaign in these books" in nobody.output
