"""The REST API as the commands use it: the calls of a first-time user, with errors a person can read."""

from collections.abc import Iterator, Sequence
from typing import Any

import httpx

from outdialer.cli.exits import STORE, Stop
from outdialer.cli.people import Person

TARGETS_PER_REQUEST = 5_000


class Rest:
    """A client of a running server or of this very process."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self._client = client

    async def call(self, method: str, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        """One request below ``/v1.0``.

        Raises:
            Stop: the server refused it, or the store is away.
        """
        response = await self._client.request(method, f"/v1.0{path}", json=body)
        if response.is_success:
            answer: dict[str, Any] = response.json()
            return answer
        try:
            message = response.json()["error"]["message"]
        except (ValueError, KeyError):
            message = response.text
        code = STORE if response.status_code == httpx.codes.SERVICE_UNAVAILABLE else 2
        raise Stop(f"{method} {path}: {message}", code)

    async def pages(self, path: str) -> list[dict[str, Any]]:
        """Every object of a list, newest first."""
        found: list[dict[str, Any]] = []
        token = ""
        while True:
            answer = await self.call("GET", f"{path}?page_size=100" + (f"&page_token={token}" if token else ""))
            found += answer["result"]
            token = answer["next_page_token"]
            if not token:
                return found

    async def add_people(self, outdial_id: str, people: Sequence[Person]) -> int:
        """Put people on a list; how many.

        Raises:
            Stop: a row was refused, although it was checked before.
        """
        for chunk in _chunks(people, TARGETS_PER_REQUEST):
            body = {"targets": [_target(person) for person in chunk]}
            answer = await self.call("POST", f"/outdials/{outdial_id}/targets/bulk", body)
            refused = [
                (person, row["error"]) for person, row in zip(chunk, answer["result"], strict=True) if "error" in row
            ]
            if refused:
                person, error = refused[0]
                raise Stop(f"line {person.line} was refused: {error}")
        return len(people)

    async def close(self) -> None:
        """Close the connection."""
        await self._client.aclose()


def _target(person: Person) -> dict[str, Any]:
    body: dict[str, Any] = {"name": person.name, "detail": person.detail, "data": person.data}
    for index, destination in enumerate(person.destinations):
        if destination:
            body[f"destination_{index}"] = {"target": destination}
    return body


def _chunks(people: Sequence[Person], size: int) -> Iterator[Sequence[Person]]:
    for start in range(0, len(people), size):
        yield people[start : start + size]
