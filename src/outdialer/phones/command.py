"""The command ``outdialer phones``."""

from pathlib import Path

import click

from outdialer.carriers.simulator.behaviours import MIXES, Mix, Rule, parse_mix, parse_rule, table
from outdialer.phones.digest import Credentials
from outdialer.phones.safety import NotLoopback


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to bind.")
@click.option("--port", default=5060, show_default=True, type=click.IntRange(0, 65_535), help="0 finds a free one.")
@click.option("--behaviour", "rules", multiple=True, metavar="[NUMBER=]NAME", help="See --list-behaviours; repeatable.")
@click.option("--mix", default="suffix", show_default=True, type=click.Choice(list(MIXES)), help="The population.")
@click.option(
    "--rules",
    "rules_file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="JSON file with a population (rules and shares) instead of --mix.",
)
@click.option("--seed", default=0, show_default=True, help="Of everything that looks random.")
@click.option(
    "--log", "log_path", type=click.Path(dir_okay=False, path_type=Path), help="JSON Lines file to append to."
)
@click.option("--no-audio", is_flag=True, help="Do not listen: for benchmarks.")
@click.option("--talk", is_flag=True, help="Send audio while a call is up.")
@click.option(
    "--time-percent", default=100, show_default=True, type=click.IntRange(0), help="Scale the times of all behaviours."
)
@click.option("--record-route", is_flag=True, help="Add a Record-Route, as behind a proxy.")
@click.option("--username", default="outdialer", show_default=True, help="For digest challenges.")
@click.option(
    "--password-file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="For digest challenges; its first line. Without it the password is 'fictional'.",
)
@click.option("--realm", default="phones.invalid", show_default=True, help="For digest challenges.")
@click.option("--max-seconds", type=click.FloatRange(0), help="Stop by itself after this time.")
@click.option("--exit-with-parent", is_flag=True, help="Stop when standard input ends.")
@click.option("--live", is_flag=True, help="Allow addresses off this machine.")
@click.option("--list-behaviours", is_flag=True, help="Print what phones can do, and stop.")
def phones(
    host: str,
    port: int,
    rules: tuple[str, ...],
    mix: str,
    rules_file: Path | None,
    seed: int,
    log_path: Path | None,
    no_audio: bool,
    talk: bool,
    time_percent: int,
    record_route: bool,
    username: str,
    password_file: Path | None,
    realm: str,
    max_seconds: float | None,
    exit_with_parent: bool,
    live: bool,
    list_behaviours: bool,
) -> None:
    """Run a network of simulated phones that speak real SIP and RTP.

    Its first line on standard output is "phones ready sip:HOST:PORT".
    """
    from outdialer.phones.process import PhonesOptions, run

    if list_behaviours:
        click.echo(table())
        return
    credentials = Credentials(username=username, realm=realm)
    if password_file is not None:
        credentials = Credentials(username=username, realm=realm, password=_first_line(password_file))
    options = PhonesOptions(
        host=host,
        port=port,
        rules=_rules(rules),
        mix=MIXES[mix] if rules_file is None else _mix(rules_file),
        seed=seed,
        log_path=log_path,
        audio=not no_audio,
        talk=talk,
        live=live,
        time_percent=time_percent,
        record_route=record_route,
        credentials=credentials,
        max_seconds=max_seconds,
        exit_with_parent=exit_with_parent,
    )
    try:
        run(options)
    except NotLoopback as refusal:
        raise click.UsageError(str(refusal)) from None
    except OSError as failure:
        raise click.UsageError(f"cannot start: {failure.strerror or failure}; another port: --port") from None


def _rules(texts: tuple[str, ...]) -> tuple[Rule, ...]:
    try:
        return tuple(parse_rule(text) for text in texts)
    except ValueError as refusal:
        raise click.BadParameter(str(refusal), param_hint="--behaviour") from None


def _mix(path: Path) -> Mix:
    try:
        return parse_mix(path.read_bytes())
    except ValueError as refusal:
        raise click.BadParameter(f"{path}: {refusal}", param_hint="--rules") from None


def _first_line(path: Path) -> str:
    return path.read_text().partition("\n")[0].rstrip("\r")
