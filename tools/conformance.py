"""Holds a served REST API against its own OpenAPI document with Schemathesis.

    .venv/bin/python tools/conformance.py --max-examples 50

Starts the program on loopback over a new file with the simulated carrier, and lets Schemathesis send what the
document allows and what it does not, follow the links, and judge every answer with all of its checks. Tests run the
short form. Exits with Schemathesis's code: 0 when nothing was found.
"""

import argparse
import asyncio
import os
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from outdialer.app import DEFAULT_CUSTOMER, App
from outdialer.config import Settings
from outdialer.domain.units import format_id

MEMORY = "/dev/shm" if os.path.isdir("/dev/shm") else None
"""Where the books are: the disk is not what is looked at here."""
NO_LIMIT = (0.0, 0)
CONFIG = Path(__file__).with_name("schemathesis.toml")
HOOKS = Path(__file__).with_name("schemathesis_hooks.py")
OWN_KEY = "OUTDIALER_CONFORMANCE_KEY"
"""Where the hooks find the id of the access key that the requests are sent with."""
ALL_PHASES = "examples,coverage,fuzzing,stateful"


def command(address: tuple[str, int], token: str, options: argparse.Namespace) -> list[str]:
    """The Schemathesis command line for a served API."""
    return [
        *(
            sys.executable,
            "-m",
            "schemathesis.cli",
            "--config-file",
            str(CONFIG),
            "run",
            f"http://{address[0]}:{address[1]}/openapi.json",
        ),
        *("--header", f"Authorization: Bearer {token}", "--checks", "all", "--phases", options.phases),
        *("--max-examples", str(options.max_examples), "--seed", str(options.seed), "--workers", "1"),
        *("--generation-database", "none", "--suppress-health-check", "all", "--no-color"),
        *options.rest,
    ]


async def go(options: argparse.Namespace) -> int:
    """Serve, run Schemathesis, and return its exit code."""
    with tempfile.TemporaryDirectory(dir=MEMORY) as folder:
        settings = Settings(
            db=Path(folder, "books.db"),
            http=("127.0.0.1", 0),
            simulated_trunk_seed=options.seed,
            address_rate=NO_LIMIT,
            login_rate=NO_LIMIT,
            customer_rate=NO_LIMIT,
            key_rate=NO_LIMIT,
        )
        app = await App.open(settings)
        try:
            token = await app.new_key("conformance")
            (own_key,) = await app.store.access_keys(DEFAULT_CUSTOMER)
            environment = {**os.environ, OWN_KEY: format_id(own_key.id), "SCHEMATHESIS_HOOKS": str(HOOKS)}
            await app.start()
            assert app.http_address is not None
            process = await asyncio.create_subprocess_exec(
                *command(app.http_address, token, options), cwd=folder, env=environment
            )
            return await process.wait()
        finally:
            await app.stop()


def main(arguments: Sequence[str] | None = None) -> int:
    """Read the options and run; what is not known here goes to Schemathesis as it is."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--max-examples", type=int, default=50, help="requests an operation and phase; default 50")
    parser.add_argument("--seed", type=int, default=1, help="of the requests; default 1")
    parser.add_argument("--phases", default=ALL_PHASES, help=f"default {ALL_PHASES}")
    options, rest = parser.parse_known_args(arguments)
    options.rest = rest
    return asyncio.run(go(options))


if __name__ == "__main__":
    sys.exit(main())
