"""Every operation against every kind of credential and every place where somebody else's id can stand.

The operations come from the application, so a new one is in here at once; who may use it has to be written into
``roles.py``. Two customers own one object of each kind; what the first one owns says ``CANARY``, and no answer to
anybody else may hold that word or differ from the answer for an id that nobody has.
"""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, TypeVar

import httpx
import pytest
from msgspec import inspect, structs

from outdialer.api.app import all_resources
from outdialer.api.auth import Principal
from outdialer.api.errors import ApiError
from outdialer.api.metrics import RequestMetrics
from outdialer.api.operations import Operation, QueryParameter
from outdialer.api.permits import check_permitted
from outdialer.domain.model import Call, CampaignCall
from outdialer.domain.units import format_id
from outdialer.ports.directory import ApiStore
from tests.api.conftest import CUSTOMER, OTHER_CUSTOMER, World, answered, created, over_both_stores
from tests.api.fakes import MemoryStore
from tests.api.roles import AGENT, MANAGER, MAY_USE, OPEN, PERMISSION, ROWS, SUPER_ADMIN, VIEWER
from tests.api.seeds import ATTEMPT, CALL, MemorySeeder
from tests.api.stock import BODIES, NEVER

OPERATIONS = [operation for resource in all_resources(RequestMetrics()) for operation in resource.operations]
SECURED = [operation for operation in OPERATIONS if operation.secured]
WITH_ID = [operation for operation in SECURED if any(name.endswith("id") for name in operation.placeholders)]
UNKNOWN = "0198c0a5-2d5e-7c1e-8f9a-7a4b1d9f0001"
CANARY = "canary"
DIGITS = "2025550123"
OF_ALL_CUSTOMERS = frozenset({"customers", "outbound_configs", "routes", "providers", "providercalls"})
"""What a super admin sees of every customer."""
_OF_THIS_ANSWER = frozenset({"x-request-id", "date", "etag", "content-length"})
_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_CHANGING = re.compile(r"req_[a-z0-9]+|\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d\.\d{6}Z?|vb_[\w-]{8,32}")
T = TypeVar("T", CampaignCall, Call)
_ACTIONS = [{"type": "talk", "option": {"text": "Good morning", "note": f"+1{DIGITS}"}}]
Stock = Mapping[str, Mapping[str, str]]


def test_every_operation_has_exactly_one_row() -> None:
    written = sorted([*OPEN, *(name for names, _ in ROWS for name in names)])
    assert written == sorted(operation.name for operation in OPERATIONS), "write new operations into roles.py"
    assert set(OPEN) == {operation.name for operation in OPERATIONS if not operation.secured}


def path_of(operation: Operation, ids: Mapping[str, str]) -> str:
    return re.sub(r"\{(\w+)\}", lambda match: ids.get(match[1], UNKNOWN), operation.path)


def essence(response: httpx.Response) -> tuple[int, str, list[tuple[str, str]]]:
    """All of an answer that a stranger could learn something from: ids, times and tokens that differ anyhow are cut."""
    headers = [(name, value) for name, value in response.headers.items() if name not in _OF_THIS_ANSWER]
    text = _CHANGING.sub("*", _UUID.sub("*", response.text))
    return response.status_code, text, headers


async def stock_of(client: httpx.AsyncClient, store: ApiStore, customer: int, word: str) -> dict[str, dict[str, str]]:
    """One object of every kind, by resource: the ids that stand in its paths."""
    ids: dict[str, dict[str, str]] = {}
    for tag, (path, body) in BODIES.items():
        if tag in ("providers", "routes", "outbound_configs", "customers", "numbers") and customer != CUSTOMER:
            continue
        named = {**body, "name": word, "detail": word}
        if tag == "agents":
            named["username"] = f"{word}@company.example"
            named["addresses"] = [{"type": "tel", "target": f"+1{DIGITS}"}]
        made = await created(client, path, **named)
        ids[tag] = {"id": made["id"]}
    if customer != CUSTOMER:
        ids["numbers"] = {"id": (await created(client, "/v1.0/numbers", number="+12025550198", name=word))["id"]}
    address = {"target": f"+1{DIGITS}", "target_name": word}
    target = await created(
        client, f"/v1.0/outdials/{ids['targets']['id']}/targets", name=word, data=word, destination_0=address
    )
    ids["targets"]["target_id"] = target["id"]
    outplan = await created(client, "/v1.0/outplans", name=word, source={"target": f"+1{DIGITS}"})
    ids["outplans"] = {"id": outplan["id"]}
    references = {"outplan_id": outplan["id"], "outdial_id": ids["outdials"]["id"]}
    ids["campaigns"] = {
        "id": (await created(client, "/v1.0/campaigns", name=word, actions=_ACTIONS, **references))["id"]
    }
    if isinstance(store, MemoryStore):
        attempt, call = _said(ATTEMPT, customer, word), _said(CALL, customer, word)
        MemorySeeder(store).attempt(customer, attempt)
        MemorySeeder(store).call(customer, call, 42)
        ids["campaigncalls"], ids["calls"] = {"id": format_id(attempt.id)}, {"id": format_id(call.id)}
        ids["activeflows"] = {"id": format_id(call.activeflow_id)}
    return ids


def _said(row: T, customer: int, word: str) -> T:
    own = {name: bytes([customer]) + getattr(row, name)[1:] for name in ("id", "activeflow_id")}
    said = {**own, "hangup_detail": word}
    return structs.replace(row, destination=structs.replace(row.destination, target_name=word), **said)


class Stage:
    """Two customers with everything that one can have, and the first one's books as they were."""

    def __init__(self, world: World, mine: Stock, theirs: Stock, owner: httpx.AsyncClient) -> None:
        self.world = world
        self.canaries = mine
        self.theirs = theirs
        self.owner = owner

    def client(self, token: str) -> httpx.AsyncClient:
        return self.world.anonymous({"Authorization": f"Bearer {token}"})

    async def books(self) -> dict[str, Any]:
        """Everything that the first customer reads."""
        seen = {}
        for operation in SECURED:
            if operation.method == "GET" and operation.tag in self.canaries and not operation.awaits:
                path = path_of(operation, self.canaries[operation.tag])
                if operation.tag not in OF_ALL_CUSTOMERS | {"accesskeys"}:
                    seen[operation.name] = (await self.owner.get(path)).text
        return seen


@pytest.fixture
async def stage(world: World, store: ApiStore) -> Stage:
    world.clock.step = 1
    owner = await world.client()
    tenant = world.anonymous({"Authorization": f"Bearer {await world.key(OTHER_CUSTOMER)}"})
    mine = await stock_of(owner, store, CUSTOMER, CANARY)
    return Stage(world, mine, await stock_of(tenant, store, OTHER_CUSTOMER, "tenant"), owner)


async def ask(
    client: httpx.AsyncClient, operation: Operation, ids: Mapping[str, str], body: Any = None
) -> httpx.Response:
    sent = (operation.example or {}) if body is None else body
    return await client.request(
        operation.method, path_of(operation, ids), json=None if operation.body is None else sent
    )


async def _useless(stage: Stage) -> dict[str, str]:
    """Credentials that open nothing, by why."""
    world, admin = stage.world, stage.client(await stage.world.key(OTHER_CUSTOMER))
    revoked, replaced = [await created(admin, "/v1.0/accesskeys") for _ in range(2)]
    elsewhere = await created(admin, "/v1.0/accesskeys", allowed_ips=["192.0.2.0/24"])
    answered(await admin.delete(f"/v1.0/accesskeys/{revoked['id']}"))
    answered(await admin.post(f"/v1.0/accesskeys/{replaced['id']}/rotate", json={"grace": 0}))
    login = {"username": "gone@company.example", "password": "correct horse"}
    agent = await created(admin, "/v1.0/agents", **login, permission=64)
    async with world.anonymous() as stranger:
        token = answered(await stranger.post("/auth/login", json=login))["token"]
    answered(await admin.delete(f"/v1.0/agents/{agent['id']}"))
    return {
        "unknown": "vb_" + "a" * 32,
        "no key": "x",
        "revoked": revoked["token"],
        "replaced": replaced["token"],
        "for elsewhere": elsewhere["token"],
        "expired": await world.key(OTHER_CUSTOMER, lifetime_us=0),
        "of a deleted agent": token,
    }


@over_both_stores
async def test_useless_credentials_all_have_the_same_answer(stage: Stage) -> None:
    wrong = []
    answers = set()
    for why, token in {"none": "", **await _useless(stage)}.items():
        async with stage.client(token) as client:
            for operation in SECURED:
                response = await ask(client, operation, stage.theirs.get(operation.tag, {}))
                reason = response.json()["error"]["reason"]
                if (response.status_code, reason) != (
                    401,
                    "INVALID_CREDENTIALS" if token else "AUTHENTICATION_REQUIRED",
                ):
                    wrong.append((operation.name, why, response.status_code, reason))
                if token:
                    answers.add(str(essence(response)))
    assert wrong == []
    assert len(answers) == 1, answers


@over_both_stores
async def test_a_frozen_customer_can_use_nothing_but_the_way_back(stage: Stage) -> None:
    admin = stage.client(await stage.world.key(OTHER_CUSTOMER))
    other = answered(await admin.get("/v1.0/customer"))["id"]
    answered(await stage.owner.delete(f"/v1.0/customers/{other}"))
    wrong = []
    for operation in SECURED:
        response = await ask(admin, operation, stage.theirs.get(operation.tag, {}))
        refused = response.status_code == 403 and response.json()["error"]["reason"] == "ACCOUNT_FROZEN"
        if refused == operation.while_frozen:
            wrong.append((operation.name, response.status_code))
        if operation.while_frozen:
            answered(await stage.owner.delete(f"/v1.0/customers/{other}"))
    assert wrong == []


@pytest.mark.parametrize("role", PERMISSION)
async def test_each_role_may_do_what_its_rows_say_and_nothing_else(stage: Stage, role: str) -> None:
    permission = PERMISSION[role]
    key = await stage.world.key(OTHER_CUSTOMER, permission=permission)
    wrong = []
    async with stage.client(await _agents_token(stage) if role == AGENT else key) as client:
        for operation in SECURED:
            ids = {} if role in MAY_USE[operation.name] else stage.theirs.get(operation.tag, {})
            response = await ask(client, operation, ids, body={})
            denied = response.status_code == 403 and response.json()["error"]["reason"] == "PERMISSION_DENIED"
            itself_alone = role == AGENT and "{id}" in operation.path
            if denied == (role in MAY_USE[operation.name] and not itself_alone and not _of_self(operation, role)):
                wrong.append((operation.name, response.status_code, response.text))
            if denied and essence(response) != essence(await ask(client, operation, {}, body={})):
                wrong.append((operation.name, 403, "tells what is there"))
    assert wrong == []


async def _agents_token(stage: Stage) -> str:
    login = {"username": "agent@company.example", "password": "correct horse"}
    async with stage.client(await stage.world.key(OTHER_CUSTOMER)) as admin:
        await created(admin, "/v1.0/agents", **login, permission=PERMISSION[AGENT])
    async with stage.world.anonymous() as stranger:
        return str(answered(await stranger.post("/auth/login", json=login))["token"])


def _of_self(operation: Operation, role: str) -> bool:
    """Whether operator and viewer, like agents, may use an operation on themselves alone."""
    return operation.name in ("update_agent", "update_agent_status") and role in ("operator", "viewer")


async def test_a_viewer_sees_no_number(stage: Stage) -> None:
    looked = []
    async with stage.client(await stage.world.key(OTHER_CUSTOMER, permission=PERMISSION[VIEWER])) as viewer:
        for operation in SECURED:
            if VIEWER not in MAY_USE[operation.name] or operation.method != "GET" or operation.awaits:
                continue
            response = await ask(viewer, operation, stage.theirs.get(operation.tag, {}))
            assert response.status_code == 200, (operation.name, response.text)
            assert "2025550" not in response.text, (operation.name, response.text)
            if "+1********23" in response.text:
                looked.append(operation.tag)
    assert {"agents", "calls", "campaigncalls", "outplans", "targets", "campaigns"} <= set(looked)


def test_a_viewer_cannot_search_for_a_number() -> None:
    (operation,) = [operation for operation in SECURED if operation.name == "list_calls"]
    asked = structs.replace(operation, query=(QueryParameter("destination", "Calls to it.", address=True),))
    check_permitted(asked, Principal(1, PERMISSION[MANAGER]), {"destination"})
    check_permitted(asked, Principal(1, PERMISSION[VIEWER]), {"page_size"})
    with pytest.raises(ApiError, match="destination: who sees numbers masked"):
        check_permitted(asked, Principal(1, PERMISSION[VIEWER]), {"destination"})


def test_every_filter_by_a_number_says_that_it_is_one() -> None:
    named = re.compile(r"number|target|source|destination|address|phone|caller|extension")
    silent = [
        (operation.name, parameter.name)
        for operation in OPERATIONS
        for parameter in operation.query
        if named.search(parameter.name) and not parameter.name.endswith(("_id", "_ids")) and not parameter.address
    ]
    assert silent == []


@over_both_stores
@pytest.mark.parametrize("permission", [32, 33], ids=["owner", "super admin"])
async def test_a_foreign_id_in_a_path_is_an_unknown_one(stage: Stage, permission: int) -> None:
    before = await stage.books()
    wrong = []
    async with stage.client(await stage.world.key(OTHER_CUSTOMER, permission=permission)) as intruder:
        for operation in WITH_ID:
            if permission == 33 and operation.tag in OF_ALL_CUSTOMERS:
                continue
            if operation.tag not in stage.canaries:
                continue
            foreign = stage.canaries[operation.tag]
            places: list[Mapping[str, str]] = [foreign]
            if len(operation.placeholders) > 1:
                places += [{**foreign, "id": stage.theirs[operation.tag]["id"]}, {**foreign, "target_id": UNKNOWN}]
            for ids in places:
                found = await ask(intruder, operation, ids)
                unknown = await ask(intruder, operation, {**dict.fromkeys(ids, UNKNOWN), **_own(ids, stage, operation)})
                if CANARY in found.text or essence(found) != essence(unknown) or found.status_code == 200:
                    wrong.append((operation.name, essence(found), essence(unknown)))
    assert wrong == []
    assert await stage.books() == before


def _own(ids: Mapping[str, str], stage: Stage, operation: Operation) -> dict[str, str]:
    own = stage.theirs.get(operation.tag, {})
    return {name: value for name, value in ids.items() if own.get(name) == value}


def _id_places(kind: inspect.Type, path: tuple[Any, ...] = ()) -> Iterator[tuple[tuple[Any, ...], bool]]:
    """Where ids stand in a body, and whether a list of them does."""
    if isinstance(kind, inspect.Metadata):
        yield from _id_places(kind.type, path)
    elif isinstance(kind, inspect.UnionType):
        for one in kind.types:
            yield from _id_places(one, path)
    elif isinstance(kind, inspect.ListType):
        name = str(path[-1]) if path else ""
        if name.endswith("_ids"):
            yield path, True
        else:
            yield from _id_places(kind.item_type, (*path, 0))
    elif isinstance(kind, inspect.StructType):
        for field in kind.fields:
            yield from _id_places(field.type, (*path, field.encode_name))
    elif isinstance(kind, inspect.StrType) and path and (str(path[-1]) == "id" or str(path[-1]).endswith("_id")):
        yield path, False


def _with(example: Any, path: tuple[Any, ...], value: Any) -> Any:
    """The example with a value at a place, whatever has to be made on the way."""
    if not path:
        return value
    step, rest = path[0], path[1:]
    if isinstance(step, int):
        return [_with((example or [None])[0], rest, value)]
    return {**(example or {}), step: _with((example or {}).get(step), rest, value)}


BODY_PLACES = [
    (operation, place, many)
    for operation in SECURED
    if operation.body is not None and MAY_USE.get(operation.name) != {SUPER_ADMIN}
    for place, many in dict.fromkeys(_id_places(inspect.type_info(operation.body)))
]


def _that_fit(place: tuple[Any, ...], stock: Stock) -> list[str]:
    """The ids of the kind that a field is for; of every kind where its name does not tell."""
    named = [ids["id"] for tag, ids in stock.items() if tag.removesuffix("s") in str(place[-1])]
    return named or [value for ids in stock.values() for value in ids.values()]


@over_both_stores
async def test_a_foreign_id_in_a_body_is_an_unknown_one(stage: Stage) -> None:
    before = await stage.books()
    wrong = []
    async with stage.client(await stage.world.key(OTHER_CUSTOMER)) as intruder:
        for operation, place, many in BODY_PLACES:
            if operation.method == "PUT":  # The first change may differ from those that follow.
                await ask(intruder, operation, stage.theirs.get(operation.tag, {}))
            unknown = await _with_body(intruder, operation, stage, place, [UNKNOWN] if many else UNKNOWN)
            for value in _that_fit(place, stage.canaries):
                found = await _with_body(intruder, operation, stage, place, [value] if many else value)
                if found != unknown or CANARY in found[1]:
                    wrong.append((operation.name, place, found, unknown))
    assert wrong == []
    assert await stage.books() == before


async def _with_body(
    client: httpx.AsyncClient, operation: Operation, stage: Stage, place: tuple[Any, ...], value: Any
) -> tuple[int, str, list[tuple[str, str]]]:
    """The answer to the example with a value at a place. What would be in the way of the next one is deleted."""
    body = _with(operation.example, place, value)
    response = await ask(client, operation, stage.theirs.get(operation.tag, {}), body)
    if response.status_code == 200 and operation.name in ("create_agent", "create_number"):
        answered(await client.delete(f"{operation.path}/{response.json()['id']}"))
    return essence(response)


async def _with_query(client: httpx.AsyncClient, operation: Operation, ids: Mapping[str, str], **query: str) -> str:
    response = await client.request(operation.method, path_of(operation, ids), params=query)
    assert CANARY not in response.text, operation.name
    return str(essence(response))


@over_both_stores
async def test_a_foreign_id_in_a_filter_or_a_cursor_is_an_unknown_one(stage: Stage) -> None:
    foreign = {value for ids in stage.canaries.values() for value in ids.values()}
    now = "2999-01-01T00:00:00.000000Z"
    looked = 0
    async with stage.client(await stage.world.key(OTHER_CUSTOMER)) as intruder:
        for operation in SECURED:
            if operation.method != "GET":
                continue
            ids = stage.theirs.get(operation.tag, {})
            names = [parameter.name for parameter in operation.query if parameter.name.endswith(("_id", "_ids"))]
            for name in [*names, *(["page_token"] if operation.paged else [])]:
                mark = f"{now}_" if name == "page_token" else ""
                unknown = await _with_query(intruder, operation, ids, **{name: mark + UNKNOWN})
                for value in foreign:
                    looked += 1
                    assert await _with_query(intruder, operation, ids, **{name: mark + value}) == unknown
    assert looked > 100


@over_both_stores
async def test_no_list_of_a_customer_shows_what_is_another_ones(stage: Stage) -> None:
    async with stage.client(await stage.world.key(OTHER_CUSTOMER)) as intruder:
        for operation in SECURED:
            if operation.method == "GET":
                response = await ask(intruder, operation, stage.theirs.get(operation.tag, {}))
                assert CANARY not in response.text, operation.name


async def test_a_foreign_id_costs_what_an_unknown_one_costs(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """The store is asked the same questions, in the same order."""
    asked: list[str] = []
    store = stage.world.store

    class Noting:
        def __getattr__(self, name: str) -> Any:
            asked.append(name)
            return getattr(store, name)

    monkeypatch.setattr(stage.world, "store", Noting())
    async with stage.client(await stage.world.key(OTHER_CUSTOMER)) as intruder:
        for operation in WITH_ID:
            if operation.tag in stage.canaries:
                for_each = []
                for ids in (stage.canaries[operation.tag], {}):
                    asked.clear()
                    await ask(intruder, operation, ids)
                    for_each.append([name for name in asked if name != "note_access_key_use"])
                assert for_each[0] == for_each[1], operation.name


def test_there_are_ids_in_bodies_to_look_at() -> None:
    places = {(operation.name, json.dumps(place)) for operation, place, _ in BODY_PLACES}
    assert ("create_campaign", '["outplan_id"]') in places
    assert ("create_campaign", '["next_campaign_id"]') in places
    assert ("update_agent_tag_ids", '["tag_ids"]') in places
    assert NEVER
