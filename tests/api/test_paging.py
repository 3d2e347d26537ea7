from urllib.parse import urlencode

import httpx
import pytest

from tests.api.conftest import World, answered, created, over_both_stores, refused

pytestmark = over_both_stores


async def _made(client: httpx.AsyncClient, count: int) -> list[str]:
    return [(await created(client, "/v1.0/outplans"))["id"] for _ in range(count)]


async def _page(client: httpx.AsyncClient, **query: object) -> tuple[list[str], str]:
    page = answered(await client.get(f"/v1.0/outplans?{urlencode(query)}"))
    return [row["id"] for row in page["result"]], page["next_page_token"]


@pytest.mark.parametrize("same_instant", [False, True])
async def test_every_row_once_also_while_rows_are_added(
    client: httpx.AsyncClient, world: World, same_instant: bool
) -> None:
    world.clock.step = 0 if same_instant else 1_000
    made = await _made(client, 7)
    first, token = await _page(client, page_size=3)
    newer = await _made(client, 2)
    second, token = await _page(client, page_size=3, page_token=token)
    third, end = await _page(client, page_size=3, page_token=token)
    assert first + second + third == made[::-1]
    assert end == ""
    assert not set(newer) & set(first + second + third)


async def test_no_token_when_the_last_page_is_full(client: httpx.AsyncClient) -> None:
    await _made(client, 2)
    assert (await _page(client, page_size=2))[1] == ""
    assert await _page(client, page_size=1) != ([], "")


async def test_empty(client: httpx.AsyncClient) -> None:
    assert answered(await client.get("/v1.0/outplans")) == {"result": [], "next_page_token": ""}


@pytest.mark.parametrize("size", ["0", "-1", "-99999999999", "101", "9999999999999999999999", "", "+5"])
async def test_sizes_out_of_range_mean_100(client: httpx.AsyncClient, size: str) -> None:
    await _made(client, 6)
    rows, _ = await _page(client, page_size=size)
    assert len(rows) == (5 if size == "+5" else 6)


async def test_bare_times_in_every_form(client: httpx.AsyncClient, world: World) -> None:
    rows = [await created(client, "/v1.0/outplans") for _ in range(3)]
    time = rows[1]["tm_create"]
    forms = [
        time,
        time.replace("T", " ").removesuffix("Z"),
        time.replace("Z", "+00:00"),
        time.replace("T00:", "T02:").replace("Z", "+02:00"),
        time.lower(),
    ]
    for form in forms:
        assert (await _page(client, page_token=form))[0] == [rows[0]["id"]], form
    assert (await _page(client, page_token="2022-06-17 06:06:14"))[0] == []


@pytest.mark.parametrize(
    ("name", "value"),
    [("page_size", value) for value in ("x", "1.5", "1e2", "٣", "\x00")]
    + [
        ("page_token", value)
        for value in (
            "x",
            "_",
            "2026-13-01T00:00:00Z",
            "2026-01-01T25:00:00Z",
            "2026-01-01T00:00:00Z_",
            "2026-01-01T00:00:00Z_x",
            "2026-01-01",
            "12345",
            "9999999999999999",
            "0000-00-00T00:00:00Z",
            "\ud800".encode("utf-8", "surrogatepass").decode("latin-1"),
        )
    ],
)
async def test_garbage_is_refused(client: httpx.AsyncClient, name: str, value: str) -> None:
    refused(await client.get(f"/v1.0/outplans?{urlencode({name: value})}"), 400, "INVALID_REQUEST_PARAMETER", name)


async def test_every_list_pages(client: httpx.AsyncClient) -> None:
    outdial = await created(client, "/v1.0/outdials")
    campaign = await created(client, "/v1.0/campaigns")
    paths = ["outplans", "outdials", f"outdials/{outdial['id']}/targets", "campaigns", "campaigncalls", "calls"]
    for path in [*paths, f"campaigns/{campaign['id']}/campaigncalls"]:
        page = answered(await client.get(f"/v1.0/{path}?page_size=1"))
        assert set(page) == {"result", "next_page_token"}
        refused(await client.get(f"/v1.0/{path}?page_size=x"), 400, "INVALID_REQUEST_PARAMETER")
