"""Lists with filters: deleted rows on request, rows of one status, and how far a request looks."""

import bisect
from typing import Any

import httpx
import pytest
from msgspec import Struct, structs

from outdialer.api.filters import SHORT_PAGES
from outdialer.api.operations import DELETED
from outdialer.api.paging import MOST_LOOKED_AT, fetch, read_page
from outdialer.domain.units import Id, Instant, format_id, parse_id
from outdialer.ports.store import Page
from tests.api.conftest import CUSTOMER, OTHER_CUSTOMER, World, answered, created, over_both_stores, refused
from tests.api.fakes import START
from tests.api.seeds import ATTEMPT, ENDED_CALL, Seeder, identified
from tests.api.test_routes import DOCUMENT, OPERATIONS

DESTINATION = {"destination_0": {"target": "+12025550123"}}
HIDING = [operation for operation in OPERATIONS if DELETED in operation.query]
BY_STATUS = {
    "/campaigns": "run, stop, stopping",
    "/outdials/{outdial}/targets": "idle, progressing, done",
    "/campaigncalls": "dialing, progressing, done",
    "/campaigns/{campaign}/campaigncalls": "dialing, progressing, done",
    "/calls": "dialing, ringing, progressing, terminating, canceling, hangup",
}
MADE: dict[str, dict[str, Any]] = {
    "outplans": {},
    "outdials": {},
    "campaigns": {},
    "tags": {"name": "t"},
    "queues": {},
    "flows": {},
    "targets": DESTINATION,
}


async def _pages(client: httpx.AsyncClient, path: str, size: int, **query: str) -> list[str]:
    """The ids of all rows, page by page, as a client walks them."""
    found: list[str] = []
    token = ""
    while True:
        asked = {**query, "page_size": str(size), **({"page_token": token} if token else {})}
        page = answered(await client.get(f"/v1.0{path}", params=asked))
        found += [row["id"] for row in page["result"]]
        token = page["next_page_token"]
        if not token:
            return found


@over_both_stores
@pytest.mark.parametrize("same_instant", [False, True])
@pytest.mark.parametrize("what", MADE)
async def test_deleted_rows_stand_among_the_living(
    client: httpx.AsyncClient, world: World, what: str, same_instant: bool
) -> None:
    path = f"/{what}" if what != "targets" else f"/outdials/{(await created(client, '/v1.0/outdials'))['id']}/targets"
    world.clock.step = 0 if same_instant else 1_000
    made = [(await created(client, f"/v1.0{path}", **MADE[what]))["id"] for _ in range(7)]
    gone = made[1::2]
    for each in gone:
        answered(await client.delete(f"/v1.0{path}/{each}"))
    living = [each for each in made if each not in gone]
    for size in (1, 2, 3, 7, 100):
        assert await _pages(client, path, size, deleted="true") == made[::-1]
        assert await _pages(client, path, size, deleted="false") == living[::-1]
    assert await _pages(client, path, 2) == living[::-1]
    stranger = f"/outdials/{(await created(client, '/v1.0/outdials'))['id']}/targets" if what == "targets" else path
    async with world.anonymous({"Authorization": f"Bearer {await world.key(OTHER_CUSTOMER)}"}) as other:
        response = await other.get(f"/v1.0{stranger}?deleted=true")
        assert response.status_code == 404 if what == "targets" else answered(response)["result"] == []


async def test_deleted_attempts_stand_among_the_living(client: httpx.AsyncClient, seed: Seeder) -> None:
    seed.attempt(CUSTOMER, ATTEMPT)
    path = f"/v1.0/campaigncalls/{format_id(ATTEMPT.id)}"
    answered(await client.delete(path))
    assert await _pages(client, "/campaigncalls", 5) == []
    assert await _pages(client, "/campaigncalls", 5, deleted="true") == [format_id(ATTEMPT.id)]
    (row,) = answered(await client.get("/v1.0/campaigncalls?deleted=true"))["result"]
    assert row == answered(await client.get(path))
    assert row["tm_delete"] is not None


@pytest.mark.parametrize("operation", HIDING, ids=lambda operation: operation.name)
async def test_true_or_false_alone(client: httpx.AsyncClient, operation: object) -> None:
    path = str(getattr(operation, "path", ""))
    if "{id}" in path:
        family = path.split("/")[2]
        path = path.replace("{id}", (await created(client, f"/v1.0/{family}"))["id"])
    refused(await client.get(f"{path}?deleted=yes"), 400, "INVALID_REQUEST_PARAMETER", "deleted", "yes", "true")
    refused(await client.get(f"{path}?deleted=true&deleted=false"), 400, "INVALID_REQUEST_PARAMETER", "deleted")
    answered(await client.get(f"{path}?deleted="))


async def test_a_list_that_shows_living_rows_alone_does_not_heed_it(client: httpx.AsyncClient) -> None:
    answered(await client.get("/v1.0/calls?deleted=perhaps"))


@over_both_stores
@pytest.mark.parametrize("path", BY_STATUS)
async def test_no_other_status(client: httpx.AsyncClient, path: str) -> None:
    outdial, campaign = await created(client, "/v1.0/outdials"), await created(client, "/v1.0/campaigns")
    place = f"/v1.0{path}".format(outdial=outdial["id"], campaign=campaign["id"])
    refused(await client.get(f"{place}?status=asleep"), 400, "INVALID_REQUEST_PARAMETER", "asleep", "status")
    names = refused(await client.get(f"{place}?status=x"), 400, "INVALID_REQUEST_PARAMETER")
    assert set(BY_STATUS[path].split(", ")) <= set(names.removesuffix(".").replace(",", "").split())
    for status in BY_STATUS[path].split(", "):
        answered(await client.get(f"{place}?status={status}"))


@over_both_stores
async def test_targets_and_campaigns_of_a_status(client: httpx.AsyncClient) -> None:
    outdial = await created(client, "/v1.0/outdials")
    path = f"/outdials/{outdial['id']}/targets"
    made = [(await created(client, f"/v1.0{path}", **DESTINATION))["id"] for _ in range(5)]
    for each in made[:2]:
        answered(await client.delete(f"/v1.0{path}/{each}"))
    assert await _pages(client, path, 1, status="idle") == made[:1:-1]
    assert await _pages(client, path, 1, status="done") == []
    assert await _pages(client, path, 1, status="done", deleted="true") == made[1::-1]
    outplan = await created(client, "/v1.0/outplans", source={"target": "+12025550100"})
    running = await created(client, "/v1.0/campaigns", outplan_id=outplan["id"], outdial_id=outdial["id"])
    resting = await created(client, "/v1.0/campaigns")
    answered(await client.put(f"/v1.0/campaigns/{running['id']}/status", json={"status": "run"}))
    assert await _pages(client, "/campaigns", 1, status="run") == [running["id"]]
    assert await _pages(client, "/campaigns", 1, status="stop") == [resting["id"]]
    assert await _pages(client, "/outdials", 1, campaign_id=running["id"]) == [outdial["id"]]
    assert await _pages(client, "/outdials", 1, campaign_id=resting["id"]) == []
    refused(await client.get("/v1.0/outdials?campaign_id=x"), 400, "INVALID_REQUEST_PARAMETER", "campaign_id")


async def test_attempts_and_calls_of_a_status(client: httpx.AsyncClient, seed: Seeder) -> None:
    seed.attempt(CUSTOMER, ATTEMPT)
    seed.call(CUSTOMER, ENDED_CALL, None)
    for path, status, row in (("/campaigncalls", "done", ATTEMPT), ("/calls", "hangup", ENDED_CALL)):
        assert await _pages(client, path, 1, status=status) == [format_id(row.id)]
        assert await _pages(client, path, 1, status="progressing") == []


async def test_attempts_of_a_person(client: httpx.AsyncClient, seed: Seeder) -> None:
    campaign = parse_id((await created(client, "/v1.0/campaigns"))["id"])
    one, other = (identified(place) for place in (50, 60))
    for place in range(1, 6):
        person = one if place % 2 else other
        row = structs.replace(ATTEMPT, id=identified(place), outdial_target_id=person, tm_create=START + place)
        seed.attempt(CUSTOMER, structs.replace(row, campaign_id=campaign) if place == 3 else row)
    of_one = [format_id(identified(place)) for place in (5, 3, 1)]
    asked = {"outdial_target_id": format_id(one)}
    assert await _pages(client, "/campaigncalls", 2, **asked) == of_one
    assert await _pages(client, f"/campaigns/{format_id(campaign)}/campaigncalls", 2, **asked) == of_one[1:2]
    assert await _pages(client, "/campaigncalls", 2, **asked, status="dialing") == []


@over_both_stores
async def test_attempts_of_nobody(client: httpx.AsyncClient) -> None:
    campaign = await created(client, "/v1.0/campaigns")
    for path in ("/campaigncalls", f"/campaigns/{campaign['id']}/campaigncalls"):
        assert await _pages(client, path, 2, outdial_target_id=format_id(identified(50))) == []
        assert await _pages(client, path, 2, outdial_target_id="") == []
        refused(
            await client.get(f"/v1.0{path}?outdial_target_id=x"), 400, "INVALID_REQUEST_PARAMETER", "outdial_target_id"
        )


class _Row(Struct, frozen=True):
    id: Id
    tm_create: Instant
    status: str = "done"


class _Long:
    """A list of so many rows, newest first, that notes how many were read."""

    def __init__(self, count: int, wanted: set[int]) -> None:
        self.rows = [_Row(bytes(16), -place, "idle" if place in wanted else "done") for place in range(count)]
        self.read = 0

    async def __call__(self, page: Page) -> list[_Row]:
        start = 0 if page.before is None else bisect.bisect_right(self.rows, -page.before, key=lambda r: -r.tm_create)
        rows = self.rows[start : start + page.size]
        self.read += len(rows)
        return rows


def _idle(row: _Row) -> bool:
    return row.status == "idle"


async def test_a_request_looks_at_a_bounded_number_of_rows() -> None:
    wanted = {3, MOST_LOOKED_AT - 1, MOST_LOOKED_AT, 3 * MOST_LOOKED_AT}
    long = _Long(3 * MOST_LOOKED_AT + 1, wanted)
    found: list[int] = []
    requests, token = 0, None
    while token != "":
        long.read = 0
        rows, token = await fetch(read_page("2", token), long, _idle)
        assert len(rows) <= 2
        assert long.read <= MOST_LOOKED_AT
        found += [-row.tm_create for row in rows]
        requests += 1
    assert found == sorted(wanted)
    assert requests <= 5


@pytest.mark.parametrize("count", [0, 1, 2, 3, 5, 499, 503, 504, MOST_LOOKED_AT, MOST_LOOKED_AT + 1])
@pytest.mark.parametrize("every", [1, 2, 700])
async def test_no_row_is_lost_or_shown_twice(count: int, every: int) -> None:
    wanted = set(range(0, count, every))
    found: list[int] = []
    token: str | None = None
    while token != "":
        rows, token = await fetch(read_page("100", token), long := _Long(count, wanted), _idle)
        assert long.read <= MOST_LOOKED_AT
        found += [-row.tm_create for row in rows]
    assert found == sorted(wanted)


def test_the_document_says_that_pages_may_be_short() -> None:
    said = 0
    for operation in OPERATIONS:
        described = DOCUMENT["paths"][operation.path][operation.method.lower()]
        for parameter in described["parameters"]:
            if parameter["name"] == "status" and SHORT_PAGES in parameter["description"]:
                assert parameter["schema"]["enum"]
                said += 1
    assert said == len(BY_STATUS)
