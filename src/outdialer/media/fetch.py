"""Fetching a prompt from a URL, within bounds of time, size, redirects and, unless live, of this machine."""

import asyncio
import ipaddress
from urllib.parse import urlsplit

import httpx

from outdialer.ports.media import PromptError

LARGEST_BYTES = 64 << 20
_TIMEOUT_S = 20.0
_MOST_REDIRECTS = 3


async def fetch(url: str, *, live: bool) -> bytes:
    """What the URL gives.

    Raises:
        PromptError: not reachable within 20 s, refused, too large, redirected more than three times, or not on this
            machine while not live.
    """
    try:
        async with asyncio.timeout(_TIMEOUT_S), httpx.AsyncClient(trust_env=False, timeout=_TIMEOUT_S) as client:
            return await _follow(client, url, live)
    except TimeoutError:
        raise PromptError(f"{url} did not answer in full within {_TIMEOUT_S:.0f} s") from None
    except (httpx.HTTPError, httpx.InvalidURL) as problem:
        raise PromptError(f"{url} cannot be fetched: {problem or type(problem).__name__}") from problem


async def _follow(client: httpx.AsyncClient, url: str, live: bool) -> bytes:
    here = url
    for _ in range(_MOST_REDIRECTS + 1):
        _check(here, live)
        async with client.stream("GET", here) as response:
            if response.has_redirect_location:
                here = str(response.url.join(response.headers["location"]))
                continue
            if response.status_code != httpx.codes.OK:
                raise PromptError(f"{url} cannot be fetched: it answered {response.status_code}")
            return await _body(response, url)
    raise PromptError(f"{url} redirects more than {_MOST_REDIRECTS} times")


async def _body(response: httpx.Response, url: str) -> bytes:
    data = bytearray()
    async for part in response.aiter_bytes():
        data += part
        if len(data) > LARGEST_BYTES:
            raise PromptError(f"{url} gives more than {LARGEST_BYTES >> 20} MiB")
    return bytes(data)


def _check(url: str, live: bool) -> None:
    """Refuse what is not http, and unless live what is not a loopback host."""
    try:
        parts = urlsplit(url)
    except ValueError as problem:
        raise PromptError(f"{url} is not a URL: {problem}") from problem
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise PromptError(f"{url} is not an http or https URL")
    if not live and not _is_this_machine(parts.hostname):
        raise PromptError(f"{url} is not on this machine, and prompts are fetched from elsewhere only in live mode")


def _is_this_machine(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"
