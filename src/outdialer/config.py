"""What one process runs with. The command line's options fill it; each is an environment variable too."""

from pathlib import Path

import platformdirs
from msgspec import Struct

ENVIRONMENT_PREFIX = "OUTDIALER_"
"""``--sip-bind`` of ``serve`` is ``OUTDIALER_SERVE_SIP_BIND``."""


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
    keep_events_days: int = 0
    """How long the outbox keeps events; 0: for ever."""
    keep_attempts_days: int = 0
    """How long attempts of finished targets are kept; 0: for ever."""
    trusted_proxies: tuple[str, ...] = ()
    """Networks of proxies whose ``X-Forwarded-For`` says who really asks; from everybody else it is ignored."""
    address_rate: tuple[float, int] = (200.0, 400)
    """Requests a second of one address, and at once after a rest; 0 a second: no limit. So are the next three."""
    login_rate: tuple[float, int] = (10.0, 20)
    """Requests to ``/auth/...`` of one address."""
    customer_rate: tuple[float, int] = (100.0, 200)
    key_rate: tuple[float, int] = (100.0, 200)
    customer_followers: int = 2_000
    """Connections of one customer that may follow events at once: half of those that the server has for everybody."""
    customer_answers_mb: int = 1_000
    """What is kept of one customer's requests with an ``Idempotency-Key`` and their answers, in MB."""
    allowed_networks: tuple[str, ...] = ()
    """Where webhooks and, when live, prompts may be though it is not public: with any port, and without TLS."""
    prompt_cache_mb: int = 2_000
    """What rendered prompts may take in the cache folder, in MB; those that were not wanted for longest go."""
    sounds: Path | None = None
    """The folder that files which campaigns play must be in; None: they play no files."""
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
