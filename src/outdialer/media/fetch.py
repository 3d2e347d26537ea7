"""Fetching a prompt from a URL, within bounds of time, size, redirects, and of what may be reached."""

import asyncio
import ipaddress
from urllib.parse import urljoin

from outdialer.ports.media import PromptError
from outdialer.web.addresses import Network, UriError, read_uri
from outdialer.web.client import Reach, WebClient
from outdialer.web.connection import Answer, WebError

LARGEST_BYTES = 64 << 20
_TIMEOUT_S = 20.0
_MOST_REDIRECTS = 3
_OK = 200
_REDIRECTS = (301, 302, 303, 307, 308)
_LOOPBACK = (ipaddress.ip_network("127.0.0.0/8"), ipaddress.ip_network("::1/128"))
_HEADERS = {"Accept": "audio/*, */*;q=0.5", "Accept-Encoding": "identity", "User-Agent": "outdialer"}


async def fetch(url: str, *, live: bool, networks: tuple[Network, ...] = ()) -> bytes:
    """What the URL gives.

    It must be on this machine; when live, at a public address or in one of ``networks`` instead.

    Raises:
        PromptError: not reachable within 20 s, refused, too large, redirected more than three times, or where
            nothing may be fetched from.
    """
    reach = Reach(networks=networks, http_ports=(80,)) if live else Reach(networks=_LOOPBACK)
    client = WebClient(reach)
    try:
        async with asyncio.timeout(_TIMEOUT_S):
            return await _follow(client, url, live)
    except TimeoutError:
        raise PromptError(f"{url} did not answer in full within {_TIMEOUT_S:.0f} s") from None
    except (UriError, WebError) as problem:
        raise PromptError(f"{url} cannot be fetched: {problem}") from problem
    finally:
        await client.close()


async def _follow(client: WebClient, url: str, live: bool) -> bytes:
    here = url
    for _ in range(_MOST_REDIRECTS + 1):
        target = read_uri(here)
        if not live and not _is_this_machine(target.host):
            raise WebError("it is not on this machine, and prompts are fetched from elsewhere only in live mode")
        answer = await client.ask("GET", target, _HEADERS, seconds=_TIMEOUT_S, most_bytes=LARGEST_BYTES)
        if answer.status not in _REDIRECTS or "location" not in answer.headers:
            return _body(answer, url)
        here = urljoin(here, answer.headers["location"])
    raise PromptError(f"{url} redirects more than {_MOST_REDIRECTS} times")


def _is_this_machine(host: str) -> bool:
    """Whether a host is this machine for certain, without asking anybody."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _body(answer: Answer, url: str) -> bytes:
    if answer.status != _OK:
        raise PromptError(f"{url} cannot be fetched: it answered {answer.status}")
    if len(answer.body) == LARGEST_BYTES and not answer.whole:
        raise PromptError(f"{url} gives more than {LARGEST_BYTES >> 20} MiB")
    if not answer.whole:
        raise PromptError(f"{url} did not answer in full within {_TIMEOUT_S:.0f} s")
    return answer.body
