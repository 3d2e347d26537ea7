"""Every setting of the server, in one table: name, default, unit and meaning.

A setting is an option of the command line (``--sip-bind``) and an environment variable (``OUTDIALER_SIP_BIND``).
"""

from pathlib import Path
from typing import NamedTuple

import platformdirs
from msgspec import Struct

ENVIRONMENT_PREFIX = "OUTDIALER_"


class Setting(NamedTuple):
    """One setting as people see it."""

    name: str
    default: str
    unit: str
    meaning: str


SETTINGS: tuple[Setting, ...] = (
    Setting("db", "in the user's data folder", "path", "The embedded store's file."),
    Setting("http", "127.0.0.1:8080", "host:port", "Where the REST API listens; port 0 takes a free one."),
    Setting("sip-bind", "127.0.0.1:0", "host:port", "Where SIP is sent from and received; port 0 takes a free one."),
    Setting("advertise", "the bound address", "address", "The address written into SIP and SDP, behind NAT."),
    Setting("rtp-ports", "any free ones", "A-B", "The UDP ports that audio may use."),
    Setting("trunk", "", "sip:host:port", "The SIP peer that calls go to."),
    Setting("rate", "1", "calls a second", "How many calls may leave to the trunk in a second."),
    Setting("channels", "10", "calls", "How many calls may be up on the trunk at once."),
    Setting("max-call", "3600", "s", "The longest conversation; a longer one is cut with the reason timeout."),
    Setting("max-ring", "180", "s", "How long the trunk may ring on when nobody cancels."),
    Setting("grace", "60", "s", "How long answered calls may go on when the server is told to stop."),
    Setting("old-time-format", "off", "switch", "Times as 2022-04-29 07:01:45.808944 instead of RFC 3339."),
    Setting("live", "off", "switch", "Allow packets to leave this machine, and so real people to be called."),
    Setting("log-level", "INFO", "level", "The lowest level of log records: DEBUG, INFO, WARNING or ERROR."),
)


class TrunkSettings(Struct, frozen=True, kw_only=True):
    """The SIP peer of a run, as given on the command line."""

    host: str
    port: int = 5060
    domain: str = ""
    username: str = ""
    password_file: str = ""
    realm: str = ""
    rate_per_s: float = 1.0
    channels: int = 10
    max_ring_ms: int = 180_000


class Settings(Struct, frozen=True, kw_only=True):
    """What one process runs with."""

    db: Path
    http: tuple[str, int] | None = ("127.0.0.1", 8080)
    """None: the REST API is used inside the process only."""
    sip_bind: tuple[str, int] = ("127.0.0.1", 0)
    advertise: str | None = None
    rtp_ports: tuple[int, int] | None = None
    trunk: TrunkSettings | None = None
    max_call_ms: int = 3_600_000
    old_time_format: bool = False
    live: bool = False
    key_file: Path | None = None
    """Where the first access key is kept, mode 0600; None: it is not kept."""
    simulated_trunk_seed: int | None = None
    """Use the simulated carrier with this seed instead of SIP."""


def data_folder() -> Path:
    """The user's data folder of this program (the XDG base directory specification)."""
    return Path(platformdirs.user_data_dir("outdialer"))


def cache_folder() -> Path:
    """The user's cache folder of this program: rendered prompts."""
    return Path(platformdirs.user_cache_dir("outdialer"))
