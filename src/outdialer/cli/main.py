"""The command line: every command with its options."""

from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import click

from outdialer import __version__
from outdialer.cli import verbs
from outdialer.cli.exits import DRAINED, MEANINGS, Stop
from outdialer.cli.options import Destination, HostPort, Network, PortRange, RequestRate, SipPeer, Tries
from outdialer.config import ENVIRONMENT_PREFIX, Settings, TrunkSettings, data_folder
from outdialer.phones.command import phones

EXIT_CODES = "Exit codes: " + "; ".join(f"{code} {meaning}" for code, meaning in MEANINGS.items()) + "."
FILE = click.Path(dir_okay=False, path_type=Path)
FOLDER = click.Path(file_okay=False, path_type=Path)
CALLS_PER_SECOND = click.FloatRange(0, 10_000, min_open=True)
RING_SECONDS = click.IntRange(1, 600)
DAYS = click.IntRange(0, 36_500)
EXISTING_FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)
EXISTING_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)

STANDARD_ERROR = 2
"""The file descriptor."""


@click.group(
    context_settings={"auto_envvar_prefix": ENVIRONMENT_PREFIX.rstrip("_"), "max_content_width": 110}, epilog=EXIT_CODES
)
@click.version_option(__version__, prog_name="outdialer")
def main() -> None:
    """Call the people of a list, and keep the books."""


def _trunk_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options that describe a SIP peer."""
    options = (
        click.option(
            "--rate", default=1.0, show_default=True, type=click.FloatRange(0, min_open=True), help="Calls/s."
        ),
        click.option("--channels", default=10, show_default=True, type=click.IntRange(1), help="Calls up at once."),
        click.option(
            "--max-ring", default=180, show_default=True, type=click.IntRange(1, 600), help="Seconds, Expires."
        ),
        click.option("--username", default="", help="For digest challenges of the trunk."),
        click.option("--password-file", type=EXISTING_FILE, help="Its first line is the digest password."),
        click.option("--realm", default="", help="The only realm whose challenges are answered."),
        click.option("--proxy", type=HostPort(5060), help="Where packets go, when that is not the trunk itself."),
        click.option("--advertise", help="Address written into SIP and SDP, behind NAT."),
        click.option("--rtp-ports", type=PortRange(), help="UDP ports for audio."),
        click.option("--live", is_flag=True, help="Allow packets to leave this machine."),
        click.option(
            "--allow-network",
            multiple=True,
            type=Network(),
            help="Where webhooks, and prompts when live, may be though it is not public; can be repeated.",
        ),
    )
    for option in reversed(options):
        command = option(command)
    return command


def _trunk(peer: tuple[str, int], given: dict[str, Any]) -> TrunkSettings:
    proxy = given["proxy"]
    host, port = proxy or peer
    return TrunkSettings(
        host=host,
        port=port,
        domain=f"{peer[0]}:{peer[1]}" if proxy else "",
        username=given["username"],
        password_file=str(given["password_file"].resolve()) if given["password_file"] else "",
        realm=given["realm"],
        rate_per_s=given["rate"],
        channels=given["channels"],
        max_ring_ms=given["max_ring"] * 1_000,
    )


def _log(level: str) -> None:
    from outdialer.telemetry import log_to_stderr

    log_to_stderr(level)


def _leave_no_core() -> None:
    """See that a fault leaves a traceback, which holds no values, and no core file: memory holds numbers and passwords.

    Child processes inherit the limit.
    """
    import faulthandler
    import resource

    if not faulthandler.is_enabled():
        faulthandler.enable(STANDARD_ERROR)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _go(work: Coroutine[Any, Any, int]) -> None:
    """Run a command's work on the fastest loop there is, and end with its exit code.

    Raises:
        Stop: Ctrl-C before or after the time in which the work listens to it.
    """
    import asyncio

    from outdialer.engine import collector

    _leave_no_core()
    collector.settle()
    loop_factory: Callable[[], asyncio.AbstractEventLoop] = asyncio.new_event_loop
    try:
        import uvloop
    except ImportError:
        pass
    else:
        loop_factory = uvloop.new_event_loop
    with asyncio.Runner(loop_factory=loop_factory) as runner:
        try:
            raise SystemExit(runner.run(work))
        except KeyboardInterrupt:
            raise Stop("interrupted", DRAINED) from None


@main.command(epilog=EXIT_CODES)
@click.argument("people", type=EXISTING_FILE)
@click.option("--trunk", required=True, type=SipPeer(), help="Where the calls go.")
@click.option("--from", "source", type=Destination(), help="Caller id, an E.164 number.")
@click.option("--from-uri", type=Destination(), help="Caller id as a SIP URI, instead of --from.")
@click.option("--say", default="", help="Text to speak on answer.")
@click.option("--play", help="WAV file (or URL) to play on answer.")
@_trunk_options
@click.option("--ring", default=30, show_default=True, type=RING_SECONDS, help="Seconds to ring.")
@click.option("--tries", default="3", show_default=True, type=Tries(), help="Per destination; the last goes on.")
@click.option("--retry-after", default=3_600, show_default=True, type=click.IntRange(0), help="Seconds between tries.")
@click.option("--redial-answered", is_flag=True, help="Call people again who answered, when the call failed.")
@click.option("--bind", default="127.0.0.1:0", show_default=True, type=HostPort(), help="Local SIP address.")
@click.option("--results", type=FILE, help="A record per attempt; .csv makes CSV, else JSON Lines.")
@click.option("--targets", type=FILE, help="A row per person with the outcome and why.")
@click.option("--db", type=FILE, help="The books; default: beside the list.")
@click.option("--skip-bad", is_flag=True, help="Leave refused rows out.")
@click.option("--append", is_flag=True, help="Add the new rows of a changed list.")
@click.option("--again", is_flag=True, help="Call a finished list once more.")
@click.option("--grace", default=60.0, show_default=True, type=click.FloatRange(0), help="Seconds to finish talking.")
@click.option("--follow", is_flag=True, help="Print each attempt when it is over.")
@click.option(
    "--time-format", default="rfc3339", show_default=True, type=click.Choice(["rfc3339", "old"]), help="In results."
)
@click.option("--yes", type=click.IntRange(1), metavar="N", help="Do not ask: call exactly N people.")
def run(people: Path, trunk: tuple[str, int], **given: Any) -> None:
    """Call the people of the CSV file PEOPLE. The same command again goes on where it was.

    The file has a header with the columns name, detail, data, destination_0 to destination_4.
    """
    from outdialer.cli.run import RunOptions
    from outdialer.cli.run import run as run_list

    _log("ERROR")
    source = given["from_uri"] or given["source"]
    if not source:
        raise click.UsageError("give --from with the caller id, such as --from +12025550100 (or --from-uri)")
    if bool(given["say"]) == bool(given["play"]):
        raise click.UsageError("give either --say with a text or --play with a WAV file")
    options = RunOptions(
        people=people,
        trunk=_trunk(trunk, given),
        source=source,
        say=given["say"],
        play=_sound(given["play"]),
        ring_s=given["ring"],
        tries=given["tries"],
        retry_after_s=given["retry_after"],
        redial_answered=given["redial_answered"],
        db=given["db"] or people.with_name(f"{people.stem}.outdialer.db"),
        sip_bind=given["bind"],
        advertise=given["advertise"],
        rtp_ports=given["rtp_ports"],
        results=given["results"],
        targets=given["targets"],
        skip_bad=given["skip_bad"],
        append=given["append"],
        again=given["again"],
        grace_s=given["grace"],
        follow=given["follow"],
        old_time_format=given["time_format"] == "old",
        live=given["live"],
        allowed_networks=given["allow_network"],
        confirmed_people=given["yes"],
    )
    _go(run_list(options))


def _sound(given: str | None) -> str:
    """A WAV file's absolute path, or a URL as it is: the books outlive the folder we are in."""
    if not given or given.startswith(("http://", "https://")):
        return given or ""
    return str(Path(given).resolve())


@main.command(epilog=EXIT_CODES)
@click.option("--db", type=FILE, help="The books; default: in the user's data folder.")
@click.option("--http", default="127.0.0.1:8080", show_default=True, type=HostPort(8080), help="REST API.")
@click.option("--trunk", type=SipPeer(), help="Where the calls go; kept in the books.")
@_trunk_options
@click.option("--sip-bind", default="127.0.0.1:0", show_default=True, type=HostPort(), help="Local SIP address.")
@click.option("--max-call", default=3_600, show_default=True, type=click.IntRange(1), help="Longest talk, seconds.")
@click.option("--grace", default=60.0, show_default=True, type=click.FloatRange(0), help="Seconds to finish talking.")
@click.option("--old-time-format", is_flag=True, help="Times as 2022-04-29 07:01:45.808944.")
@click.option("--keep-events-days", default=7, show_default=True, type=DAYS, help="Days; 0 keeps events for ever.")
@click.option(
    "--keep-attempts-days", default=400, show_default=True, type=DAYS, help="Of finished targets; 0: for ever."
)
@click.option("--trusted-proxy", multiple=True, type=Network(), help="Network whose X-Forwarded-For is believed.")
@click.option("--address-rate", default="200:400", show_default=True, type=RequestRate(), help="Requests/s, address.")
@click.option("--login-rate", default="10:20", show_default=True, type=RequestRate(), help="Logins/s of one address.")
@click.option("--customer-rate", default="100:200", show_default=True, type=RequestRate(), help="Requests/s, customer.")
@click.option("--key-rate", default="100:200", show_default=True, type=RequestRate(), help="Requests/s, access key.")
@click.option(
    "--customer-followers", default=2_000, show_default=True, type=click.IntRange(1, 4_000), help="Of events, at once."
)
@click.option(
    "--customer-answers",
    default=1_000,
    show_default=True,
    type=click.IntRange(1),
    help="MB kept of a customer's answers to requests with an Idempotency-Key.",
)
@click.option(
    "--prompt-cache", default=2_000, show_default=True, type=click.IntRange(1), help="MB of rendered prompts kept."
)
@click.option("--sounds", type=EXISTING_FOLDER, help="Where WAV files must be that campaigns play; without it, none.")
@click.option("--no-key-file", is_flag=True, help="Show the first access key only, keep it nowhere.")
@click.option(
    "--log-level", default="INFO", show_default=True, type=click.Choice(["DEBUG", "INFO", "WARNING", "ERROR"])
)
def serve(trunk: tuple[str, int] | None, **given: Any) -> None:
    """Serve the REST API and dial its campaigns, until Ctrl-C."""
    from outdialer.cli.serve import ServeOptions
    from outdialer.cli.serve import serve as serve_api

    _log(given["log_level"])
    db = given["db"] or data_folder() / "outdialer.db"
    db.parent.mkdir(parents=True, exist_ok=True)
    settings = Settings(
        db=db,
        http=given["http"],
        sip_bind=given["sip_bind"],
        advertise=given["advertise"],
        rtp_ports=given["rtp_ports"],
        trunk=_trunk(trunk, given) if trunk else None,
        max_call_ms=given["max_call"] * 1_000,
        old_time_format=given["old_time_format"],
        keep_events_days=given["keep_events_days"],
        keep_attempts_days=given["keep_attempts_days"],
        trusted_proxies=given["trusted_proxy"],
        address_rate=given["address_rate"],
        login_rate=given["login_rate"],
        customer_rate=given["customer_rate"],
        key_rate=given["key_rate"],
        customer_followers=given["customer_followers"],
        customer_answers_mb=given["customer_answers"],
        prompt_cache_mb=given["prompt_cache"],
        allowed_networks=given["allow_network"],
        sounds=given["sounds"],
        live=given["live"],
        key_file=None if given["no_key_file"] else db.with_suffix(".key"),
    )
    _go(serve_api(ServeOptions(settings=settings, grace_s=given["grace"])))


@main.command(epilog=EXIT_CODES)
@click.option("--people", type=EXISTING_FILE, help="Another list than the one that comes with the program.")
@click.option("--folder", default="demo-results", show_default=True, type=FOLDER, help="Where the results go.")
@click.option("--seed", default=7, show_default=True, help="Which people are busy, late or away.")
def demo(people: Path | None, folder: Path, seed: int) -> None:
    """Call 500 people on a phone network of this machine, over real SIP and RTP, and compare the ledgers."""
    from outdialer.cli.demo import DemoOptions
    from outdialer.cli.demo import demo as run_demo

    _log("ERROR")
    _go(run_demo(DemoOptions(people=people, folder=folder, seed=seed)))


@main.command(epilog=EXIT_CODES)
@click.argument("db", type=EXISTING_FILE)
@click.option("--results", type=FILE, help="A record per attempt; .csv makes CSV, else JSON Lines.")
@click.option("--targets", type=FILE, help="A row per person with the outcome and why.")
@click.option("--campaign", metavar="NAME|ID", help="Only this campaign; default: the newest.")
@click.option(
    "--time-format", default="rfc3339", show_default=True, type=click.Choice(["rfc3339", "old"]), help="Of times."
)
def export(db: Path, **given: Any) -> None:
    """Write the attempts and people of the books DB to files, also while an engine works on them."""
    from outdialer.cli.export import export as export_books

    _go(export_books(db, given["results"], given["targets"], given["campaign"], given["time_format"] == "old"))


@main.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def completion(shell: str) -> None:
    """Print what completes commands and options in a shell.

    For bash, in ~/.bashrc: eval "$(outdialer completion bash)"
    """
    from click.shell_completion import get_completion_class

    made = get_completion_class(shell)
    assert made is not None
    click.echo(made(main, {}, "outdialer", "_OUTDIALER_COMPLETE").source())


main.add_command(phones)
verbs.add_to(main)

if __name__ == "__main__":
    main()
