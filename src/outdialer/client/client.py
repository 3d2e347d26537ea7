"""The two clients: the generated operations, and what people want to say in one word."""

from collections.abc import AsyncIterator, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from types import TracebackType
from typing import Any, Self, TypeVar

import httpx

from outdialer.client.exchange import Retries
from outdialer.client.following import Event
from outdialer.client.resources import AsyncResources, Resources
from outdialer.client.resources.campaigns import AsyncCampaignsApi, Campaign, CampaignsApi
from outdialer.client.resources.targets import AsyncTargetsApi, RowResult, TargetCreate, TargetsApi
from outdialer.client.transport import Api, AsyncApi

T = TypeVar("T")
SERVER = "http://127.0.0.1:8080"
"""Where ``outdialer serve`` listens when nobody says otherwise."""
TIMEOUT_S = 60.0
TARGETS_PER_REQUEST = 5_000
"""Within the 10,000 rows and the bytes that one bulk request may have."""
Person = TargetCreate | Mapping[str, Any]


class Campaigns(CampaignsApi):
    """``/campaigns``, and starting and stopping them."""

    def run(self, id: str) -> Campaign:
        """Start a campaign; one that runs goes on."""
        return self.update_status(id, status="run")

    def stop(self, id: str) -> Campaign:
        """Stop a campaign: no call is cut, its status is ``stopping`` while some are up."""
        return self.update_status(id, status="stop")


class AsyncCampaigns(AsyncCampaignsApi):
    """``/campaigns``, and starting and stopping them."""

    async def run(self, id: str) -> Campaign:
        """Start a campaign; one that runs goes on."""
        return await self.update_status(id, status="run")

    async def stop(self, id: str) -> Campaign:
        """Stop a campaign: no call is cut, its status is ``stopping`` while some are up."""
        return await self.update_status(id, status="stop")


class Targets(TargetsApi):
    """``/outdials/{id}/targets``, and lists of any length."""

    def add(self, outdial_id: str, people: Iterable[Person]) -> list[RowResult]:
        """Add people to a list, in as many requests as it takes; what became of each, ``index`` counting over all."""
        results: list[RowResult] = []
        for chunk in chunks(people, TARGETS_PER_REQUEST):
            results += _renumbered(self.create_in_bulk(outdial_id, targets=chunk).result, len(results))
        return results


class AsyncTargets(AsyncTargetsApi):
    """``/outdials/{id}/targets``, and lists of any length."""

    async def add(self, outdial_id: str, people: Iterable[Person]) -> list[RowResult]:
        """Add people to a list, in as many requests as it takes; what became of each, ``index`` counting over all."""
        results: list[RowResult] = []
        for chunk in chunks(people, TARGETS_PER_REQUEST):
            answer = await self.create_in_bulk(outdial_id, targets=chunk)
            results += _renumbered(answer.result, len(results))
        return results


class Client(Resources):
    """A client that blocks: ``with Client(server, key) as client: client.campaigns.run(id)``."""

    campaigns: Campaigns
    targets: Targets

    def __init__(
        self,
        server: str = SERVER,
        key: str = "",
        *,
        timeout_s: float = TIMEOUT_S,
        retries: Retries = Retries(),  # noqa: B008
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self.http = httpx.Client(base_url=server, headers=headers(key), timeout=timeout_s, transport=transport)
        api = Api(self.http, retries)
        super().__init__(api)
        self.campaigns = Campaigns(api)
        self.targets = Targets(api)
        self._api = api

    def events(self, *, topics: Sequence[str] = (), last_event_id: str = "") -> Iterator[Event]:
        """What happens, told while it happens, for ever: a lost connection is made again, and nothing is missed.

        ``topics`` are those of docs/events.md; without any, everything comes that the key may follow. ``last_event_id``
        is where to go on. An event of the type ``gap`` says that some before it are not kept any more.
        """
        return self._api.events(topics, last_event_id)

    def close(self) -> None:
        """Close the connections."""
        self.http.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class AsyncClient(AsyncResources):
    """A client that awaits: ``async with AsyncClient(server, key) as client: await client.campaigns.run(id)``."""

    campaigns: AsyncCampaigns
    targets: AsyncTargets

    def __init__(
        self,
        server: str = SERVER,
        key: str = "",
        *,
        timeout_s: float = TIMEOUT_S,
        retries: Retries = Retries(),  # noqa: B008
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self.http = httpx.AsyncClient(base_url=server, headers=headers(key), timeout=timeout_s, transport=transport)
        api = AsyncApi(self.http, retries)
        super().__init__(api)
        self.campaigns = AsyncCampaigns(api)
        self.targets = AsyncTargets(api)
        self._api = api

    def events(self, *, topics: Sequence[str] = (), last_event_id: str = "") -> AsyncIterator[Event]:
        """What happens, told while it happens, for ever: a lost connection is made again, and nothing is missed.

        ``topics`` are those of docs/events.md; without any, everything comes that the key may follow. ``last_event_id``
        is where to go on. An event of the type ``gap`` says that some before it are not kept any more.
        """
        return self._api.events(topics, last_event_id)

    async def close(self) -> None:
        """Close the connections."""
        await self.http.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()


def headers(key: str) -> dict[str, str]:
    """What every request carries."""
    return {"Authorization": f"Bearer {key}"} if key else {}


def chunks(rows: Iterable[T], size: int) -> Iterator[list[T]]:
    """Rows in lists of at most ``size``."""
    iterator = iter(rows)
    while chunk := list(islice(iterator, size)):
        yield chunk


def _renumbered(results: Iterable[RowResult], before: int) -> Iterator[RowResult]:
    for row in results:
        yield RowResult(index=row.index + before, id=row.id, error=row.error)
