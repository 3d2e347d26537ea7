"""The two ways to talk to a server: one blocks, one awaits. Both carry out what ``exchange`` decides."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Mapping, Sequence
from typing import Any, TypeVar

import httpx
from httpx_sse import EventSource

from outdialer.client.exchange import Operation, Outcome, Page, Retries, Send, Wait, exchange, read, request_of
from outdialer.client.following import PATH, SILENCE_S, Event, Following

T = TypeVar("T")
Ids = Mapping[str, str]
Values = Mapping[str, Any]


class Api:
    """Sends requests and blocks until their answers are there."""

    def __init__(self, http: httpx.Client, retries: Retries, sleep: Callable[[float], None] = time.sleep) -> None:
        self.http = http
        self._retries = retries
        self._sleep = sleep

    def call(
        self,
        operation: Operation[T],
        ids: Ids,
        query: Values,
        body: Values | None = None,
        if_match: str | None = None,
    ) -> T:
        """The answer to one operation.

        Raises:
            ClientError: the server refused it, cannot be reached, or is another one.
        """
        steps = exchange(request_of(operation, ids, query, body, if_match), str(self.http.base_url), self._retries)
        outcome: Outcome = None
        try:
            while True:
                outcome = self._do(steps.send(outcome))
        except StopIteration as done:
            return read(operation, done.value)

    def _do(self, step: Send | Wait) -> Outcome:
        if isinstance(step, Wait):
            self._sleep(step.seconds)
            return None
        try:
            return self.http.request(
                step.method, step.path, params=step.query, headers=step.headers, content=step.content
            )
        except httpx.TransportError as error:
            return error

    def rows(self, operation: Operation[Page[T]], ids: Ids, query: Values) -> Iterator[T]:
        """The rows of a list, its pages fetched as they are needed."""
        wanted = dict(query)
        while True:
            page = self.call(operation, ids, wanted)
            yield from page.result
            if not page.next_page_token:
                return
            wanted["page_token"] = page.next_page_token

    def events(self, topics: Sequence[str], last_event_id: str) -> Iterator[Event]:
        """What happens, told while it happens."""
        following = Following(topics, last_event_id, str(self.http.base_url), self._retries)
        while True:
            outcome: Outcome = None
            try:
                with self.http.stream(
                    "GET", PATH, params=following.query, headers=following.headers, timeout=SILENCE_S
                ) as response:
                    if response.is_success:
                        yield from filter(None, map(following.read, EventSource(response).iter_sse()))
                    else:
                        response.read()
                        outcome = response
            except httpx.TransportError as error:
                outcome = error
            self._sleep(following.wait_s(outcome))


class AsyncApi:
    """Sends requests and awaits their answers."""

    def __init__(
        self,
        http: httpx.AsyncClient,
        retries: Retries,
        sleep: Callable[[float], Coroutine[Any, Any, None]] = asyncio.sleep,
    ) -> None:
        self.http = http
        self._retries = retries
        self._sleep = sleep

    async def call(
        self,
        operation: Operation[T],
        ids: Ids,
        query: Values,
        body: Values | None = None,
        if_match: str | None = None,
    ) -> T:
        """The answer to one operation.

        Raises:
            ClientError: the server refused it, cannot be reached, or is another one.
        """
        steps = exchange(request_of(operation, ids, query, body, if_match), str(self.http.base_url), self._retries)
        outcome: Outcome = None
        while True:
            try:
                step = steps.send(outcome)
            except StopIteration as done:
                return read(operation, done.value)
            outcome = await self._do(step)

    async def _do(self, step: Send | Wait) -> Outcome:
        if isinstance(step, Wait):
            await self._sleep(step.seconds)
            return None
        try:
            return await self.http.request(
                step.method, step.path, params=step.query, headers=step.headers, content=step.content
            )
        except httpx.TransportError as error:
            return error

    async def rows(self, operation: Operation[Page[T]], ids: Ids, query: Values) -> AsyncIterator[T]:
        """The rows of a list, its pages fetched as they are needed."""
        wanted = dict(query)
        while True:
            page = await self.call(operation, ids, wanted)
            for row in page.result:
                yield row
            if not page.next_page_token:
                return
            wanted["page_token"] = page.next_page_token

    async def events(self, topics: Sequence[str], last_event_id: str) -> AsyncIterator[Event]:
        """What happens, told while it happens."""
        following = Following(topics, last_event_id, str(self.http.base_url), self._retries)
        while True:
            outcome: Outcome = None
            try:
                async with self.http.stream(
                    "GET", PATH, params=following.query, headers=following.headers, timeout=SILENCE_S
                ) as response:
                    if response.is_success:
                        async for told in EventSource(response).aiter_sse():
                            if (event := following.read(told)) is not None:
                                yield event
                    else:
                        await response.aread()
                        outcome = response
            except httpx.TransportError as error:
                outcome = error
            await self._sleep(following.wait_s(outcome))


class Resource:
    """The operations of one resource, for clients that block."""

    def __init__(self, api: Api) -> None:
        self._api = api


class AsyncResource:
    """The operations of one resource, for clients that await."""

    def __init__(self, api: AsyncApi) -> None:
        self._api = api
