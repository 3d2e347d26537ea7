"""The contract as tables: what is asked, and what must be answered.

A row is a sentence and the requests that prove it. ``{outplan}`` in a path or a body stands for the id of an object
that is made for the row; ``{outplan.tm_create}`` for another field of it; ``{name}`` for an answer that an earlier
request of the row was ``named``. Values of an answer are compared with what a row shows; a function is asked.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import quote

import httpx
import pytest
from msgspec import Struct, structs

from tests.api.conftest import World, created

NIL = "00000000-0000-0000-0000-000000000000"
UNKNOWN = "0198c0a5-2d5e-7c1e-8f9a-7a4b1d9f0001"
GIVEN: Mapping[str, tuple[str, dict[str, Any]]] = {
    "outplan": ("/outplans", {"name": "gentle", "source": {"target": "+12025550100"}}),
    "outdial": ("/outdials", {"name": "list"}),
    "other_outdial": ("/outdials", {"name": "another list"}),
    "target": ("/outdials/{outdial}/targets", {"destination_0": {"target": "+12025550123"}}),
    "campaign": ("/campaigns", {"name": "spring", "outplan_id": "{outplan}", "outdial_id": "{outdial}"}),
    "other_campaign": ("/campaigns", {"name": "summer"}),
    "queue": ("/queues", {"name": "sales", "routing_method": "random"}),
    "tag": ("/tags", {"name": "spanish"}),
    "flow": ("/flows", {"name": "script", "actions": [{"type": "beep"}]}),
    "agent": ("/agents", {"username": "ada@clinic.example", "password": "correct horse", "permission": 16}),
    "admin": ("/agents", {"username": "eve@clinic.example", "password": "correct horse", "permission": 32}),
    "extension": ("/extensions", {"extension": "2001", "password": "correct horse"}),
    "trunk": ("/trunks", {"name": "office", "domain_name": "office.example"}),
    "provider": ("/providers", {"name": "carrier", "hostname": "sip.example"}),
    "route": ("/routes", {"name": "all", "target": "all"}),
    "number": ("/numbers", {"number": "+12025550177"}),
    "accesskey": ("/accesskeys", {"name": "importer", "expire": 86_400}),
}
"""What makes each object that a row can name."""
_PLACE = re.compile(r"\{(\w+)(?:\.(\w+))?\}")


class Ask(Struct, frozen=True):
    """A request, and what its answer must be."""

    method: str
    path: str
    body: Any = None
    http: int = 200
    reason: str = ""
    says: tuple[str, ...] = ()
    """Words of the message."""
    values: Mapping[str, Any] = {}
    keys: frozenset[str] | None = None
    """Exactly these keys."""
    absent: tuple[str, ...] = ()
    name: str = ""
    headers: Mapping[str, str] = {}
    content: bytes | None = None

    def shows(self, **values: Any) -> "Ask":
        """The answer has these values; a function is asked."""
        return structs.replace(self, values={**self.values, **values})

    def has_keys(self, *keys: str) -> "Ask":
        """The answer has exactly these keys."""
        return structs.replace(self, keys=frozenset(keys))

    def lacks(self, *keys: str) -> "Ask":
        """The answer has none of these keys."""
        return structs.replace(self, absent=keys)

    def refused(self, http: int, reason: str, *words: str) -> "Ask":
        """The answer is this error, with these words in its message."""
        return structs.replace(self, http=http, reason=reason, says=words)

    def named(self, name: str) -> "Ask":
        """Later requests of the row may speak of the answer."""
        return structs.replace(self, name=name)

    def sent_with(self, **headers: str) -> "Ask":
        """Headers, with ``_`` for ``-``."""
        return structs.replace(self, headers={key.replace("_", "-"): value for key, value in headers.items()})


def get(path: str) -> Ask:
    """GET."""
    return Ask("GET", path)


def post(path: str, body: Any = None, **fields: Any) -> Ask:
    """POST of a body, or of fields."""
    return Ask("POST", path, fields if body is None else body)


def put(path: str, body: Any = None, **fields: Any) -> Ask:
    """PUT of a body, or of fields."""
    return Ask("PUT", path, fields if body is None else body)


def delete(path: str) -> Ask:
    """DELETE."""
    return Ask("DELETE", path)


class Row(Struct, frozen=True):
    """A sentence of the contract, with its proof."""

    what: str
    asks: tuple[Ask, ...]
    live: bool = False
    """Over an engine whose trunks are not on loopback."""
    old_times: bool = False


def row(what: str, *asks: Ask, live: bool = False, old_times: bool = False) -> Row:
    """A row."""
    return Row(what, asks, live, old_times)


def table(*rows: Row) -> pytest.MarkDecorator:
    """One test for each row, over both stores."""
    return pytest.mark.parametrize("line", rows, ids=[each.what for each in rows])


class Proof:
    """The requests of one row, one after another."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self._client = client
        self._known: dict[str, dict[str, Any]] = {}

    async def _object(self, name: str) -> dict[str, Any]:
        if name not in self._known:
            path, body = GIVEN[name]
            filled = await self._filled(body)
            self._known[name] = await created(self._client, "/v1.0" + await self._text(path, str), **filled)
        return self._known[name]

    async def _text(self, text: str, encode: Callable[[str], str]) -> str:
        for match in list(_PLACE.finditer(text)):
            value = (await self._object(match[1]))[match[2] or "id"]
            text = text.replace(match[0], encode(str(value)))
        return text

    async def _filled(self, value: Any) -> Any:
        if isinstance(value, dict):
            return {key: await self._filled(item) for key, item in value.items()}
        if isinstance(value, list):
            return [await self._filled(item) for item in value]
        return await self._text(value, str) if isinstance(value, str) else value

    async def prove(self, ask: Ask) -> None:
        """Send one request and judge its answer."""
        path = await self._text(ask.path, quote)
        where = path if path.startswith(("/auth", "/ping", "/v1.0")) else f"/v1.0{path}"
        sent: dict[str, Any] = {"content": ask.content} if ask.content is not None else {}
        if ask.body is not None:
            body = ask.body if not isinstance(ask.body, str) else (self._known[ask.body])
            sent = {"json": await self._filled(body)}
        response = await self._client.request(ask.method, where, headers=dict(ask.headers), **sent)
        assert response.status_code == ask.http, response.text
        if ask.http >= 400:
            self._check_refusal(ask, response)
        elif response.content:
            await self._check_answer(ask, response.json())

    def _check_refusal(self, ask: Ask, response: httpx.Response) -> None:
        if not ask.reason:
            assert response.content == b""
            return
        assert set(response.json()) == {"error"}
        error = response.json()["error"]
        assert {"status", "reason", "message", "request_id"} <= set(error) <= {*FACTS, "details"}
        assert error["reason"] == ask.reason, error
        assert [word for word in ask.says if word not in error["message"]] == [], error["message"]

    async def _check_answer(self, ask: Ask, answer: dict[str, Any]) -> None:
        if ask.name:
            self._known[ask.name] = answer
        assert [key for key in ask.absent if key in answer] == []
        if ask.keys is not None:
            assert set(answer) == ask.keys
        for key, wanted in ask.values.items():
            found = answer.get(key, "(absent)")
            if callable(wanted):
                assert wanted(found), f"{key}: {found!r}"
            else:
                assert found == await self._filled(wanted), f"{key}: {found!r}"


FACTS = ("status", "reason", "message", "request_id")


async def prove(world: World, line: Row) -> None:
    """All requests of a row."""
    async with await world.client(live=line.live, old_time_format=line.old_times) as client:
        proof = Proof(client)
        for ask in line.asks:
            await proof.prove(ask)


_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z")
_OLD_TIME = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{6}")


def a_time(value: Any) -> bool:
    """RFC 3339 with six digits and Z."""
    return isinstance(value, str) and _TIME.fullmatch(value) is not None


def an_old_time(value: Any) -> bool:
    """The older form."""
    return isinstance(value, str) and _OLD_TIME.fullmatch(value) is not None


def ids(*wanted: str) -> Callable[[Any], bool]:
    """A list of exactly so many rows."""
    return lambda rows: len(rows) == len(wanted)


def rows_named(*names: str) -> Callable[[Any], bool]:
    """A list whose rows have these names, in this order."""
    return lambda rows: [each["name"] for each in rows] == list(names)


def has(**values: Any) -> Callable[[Any], bool]:
    """An object with at least these values."""
    return lambda found: {key: found.get(key) for key in values} == values
