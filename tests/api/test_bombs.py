"""Bodies made to cost more than they weigh."""

import asyncio
import tracemalloc
from collections.abc import AsyncIterator

import httpx
import pytest

from bench.bombs import bombs, harmless
from outdialer.api.body import MAX_BODY_BYTES, MAX_BULK_BODY_BYTES, MAX_ROWS, parse_json
from outdialer.api.errors import ApiError
from tests.api.conftest import OTHER_CUSTOMER, World, answered, created, refused
from tests.api.test_routes import WITH_BODY

N = MAX_BODY_BYTES
MOST_EXTRA_BYTES = 10_000_000
BOMBS: list[tuple[str, bytes]] = [
    ("depth of lists", b"[" * N),
    ("depth of objects", b'{"a":' * (N // 5)),
    ("depth after a long beginning", b"[" + b"[]," * (N // 10) + b"[" * 40),
    ("an endless string after brackets", b"[" + b"[]," * 40 + b'"' + b'\\"' * (N // 2 - 100)),
    ("an endless string of backslashes", b"[" + b"[]," * 40 + b'"' + b"\\" * (N - 200)),
    ("digits", b'{"a":' + b"9" * (N - 6) + b"}"),
    ("digits behind the point", b'{"a":0.' + b"9" * (N - 8) + b"}"),
    ("an exponent", b'{"a":1e' + b"9" * (N - 8) + b"}"),
    ("empty objects", b"[" + b"{}," * (N // 3 - 2) + b"0]"),
    ("zeros", b"[" + b"0," * (N // 2 - 2) + b"0]"),
    ("keys", b"{" + b",".join(b'"%d":0' % number for number in range(N // 12)) + b"}"),
    ("the same key", b"{" + b",".join([b'"a":0'] * (N // 6 - 1)) + b"}"),
    ("half surrogates", b"[" + b",".join([b'"\\ud800"'] * (N // 10)) + b"]"),
    ("NaN", b"[" + b"NaN," * (N // 4 - 2) + b"0]"),
    ("quotes", b'"' * N),
    ("not UTF-8", b'"' + b"\xff" * (N - 2) + b'"'),
    ("blanks", b" " * N),
]


@pytest.mark.parametrize("bomb", [bomb for _, bomb in BOMBS], ids=[name for name, _ in BOMBS])
def test_a_bomb_is_refused_and_costs_little(bomb: bytes) -> None:
    tracemalloc.start()
    try:
        with pytest.raises(ApiError, match="INVALID_JSON_BODY"):
            parse_json(bomb)
        assert tracemalloc.get_traced_memory()[1] < MOST_EXTRA_BYTES
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("name", bombs(0))
def test_a_long_bomb_is_refused_before_it_is_built(name: str) -> None:
    bomb = bombs(MAX_BULK_BODY_BYTES)[name]
    tracemalloc.start()
    try:
        with pytest.raises(ApiError, match=r"INVALID_JSON_BODY|more than 10000 items"):
            parse_json(bomb, MAX_BULK_BODY_BYTES)
        assert tracemalloc.get_traced_memory()[1] < 4 * MAX_BULK_BODY_BYTES
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    ("row", "why"),
    [
        (b'{"name":"a","name":"b"}', "The key 'name' stands twice"),
        (b'{"data":{"a":NaN}}', "targets is not a JSON list"),
        (b'{"name":"\\ud800"}', "targets is not a JSON list"),
        (b'{"name":"\\u0000"}', "holds a NUL"),
        (b'{"name":"\xff"}', "not UTF-8"),
        (b"[" * 40 + b"]" * 40, "nested deeper"),
        (b'{"data":{"a":1e999}}', "too long or too large"),
    ],
)
def test_one_wrong_row_of_a_long_body_is_named(row: bytes, why: str) -> None:
    with pytest.raises(ApiError, match=why) as refusal:
        parse_json(harmless(2 * N, 1_000, row), MAX_BULK_BODY_BYTES)
    assert "targets[999]" in refusal.value.message or "not a JSON list" in why


@pytest.mark.parametrize("ending", [b',"more":1}', b',"targets":[]}', b"}]", b"", b"}}"])
def test_a_long_body_is_one_list_alone(ending: bytes) -> None:
    with pytest.raises(ApiError, match=r"one list and nothing else|is not a JSON list"):
        parse_json(harmless(2 * N, 1_000)[:-1] + ending, MAX_BULK_BODY_BYTES)


def test_blanks_do_no_harm() -> None:
    spread = harmless(2 * N, 1_000).replace(b"[{", b" [\n{", 1).replace(b":", b" : ")[:-2] + b"\n]\r\n} \n"
    assert parse_json(b" \n" + spread, MAX_BULK_BODY_BYTES) == parse_json(harmless(2 * N, 1_000), MAX_BULK_BODY_BYTES)


async def test_too_many_rows_are_refused_at_any_length(client: httpx.AsyncClient) -> None:
    outdial = await created(client, "/v1.0/outdials")
    for row in (b"{}", b'{"name":"%s"}' % (b"x" * 100)):
        body = b'{"targets":[' + b",".join([row] * (MAX_ROWS + 1)) + b"]}"
        answer = await client.post(f"/v1.0/outdials/{outdial['id']}/targets/bulk", content=body)
        refused(answer, 400, "INVALID_ARGUMENT", "targets", str(MAX_ROWS))


async def test_a_bomb_gets_the_error_form(client: httpx.AsyncClient) -> None:
    for _, bomb in BOMBS:
        refused(await client.post("/v1.0/tags", content=bomb), 400, "INVALID_JSON_BODY")


async def test_what_is_too_long_is_not_read_to_its_end(client: httpx.AsyncClient) -> None:
    sent = 0

    async def endless() -> object:
        nonlocal sent
        while sent < 1_000_000_000:
            sent += 65_536
            yield b"x" * 65_536

    answer = await client.post("/v1.0/tags", content=endless())  # type: ignore[arg-type]
    refused(answer, 400, "INVALID_JSON_BODY", str(MAX_BODY_BYTES))
    assert sent < 2 * MAX_BODY_BYTES


async def test_one_customer_has_so_many_bytes_of_bodies_under_way(
    world: World, client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("outdialer.api.body.MOST_UNDER_WAY_BYTES", 1_000)
    begun, go_on = asyncio.Event(), asyncio.Event()

    async def slow() -> AsyncIterator[bytes]:
        yield b'{"name":"a"' + b" " * 600
        begun.set()
        await go_on.wait()
        yield b"}"

    first = asyncio.ensure_future(client.post("/v1.0/tags", content=slow()))
    await asyncio.wait_for(begun.wait(), 10)
    answered(await client.post("/v1.0/tags", json={"name": "b"}))
    refusal = await client.post("/v1.0/tags", content=b'{"name":"c"}' + b" " * 600)
    assert refusal.status_code == 429
    assert refusal.json()["error"]["reason"] == "RATE_LIMIT_EXCEEDED"
    assert refusal.json()["error"]["details"] == [{"limited_by": "customer"}]
    assert refusal.headers["retry-after"] == "1"
    async with world.anonymous({"Authorization": f"Bearer {await world.key(OTHER_CUSTOMER)}"}) as other:
        answered(await other.post("/v1.0/tags", content=b'{"name":"d"}' + b" " * 600))
    go_on.set()
    answered(await first)
    for _ in range(3):
        answered(await client.post("/v1.0/tags", content=b'{"name":"c"}' + b" " * 600))


async def test_strangers_send_little(client: httpx.AsyncClient) -> None:
    open_to_all = [operation for operation in WITH_BODY if not operation.secured]
    assert len(open_to_all) > 4
    for operation in open_to_all:
        pieces = (b" " * 10_000 for _ in range(1_000))
        sent = 0

        async def much() -> AsyncIterator[bytes]:
            nonlocal sent
            for piece in pieces:  # noqa: B023 -- it is used before the next one is made
                sent += len(piece)
                yield piece

        assert (await client.post(operation.path, content=much())).status_code == 400
        assert sent < 100_000


async def test_long_bodies_leave_the_loop_to_others(client: httpx.AsyncClient) -> None:
    outdial = await created(client, "/v1.0/outdials")
    rows = [{"name": f"{n}", "destination_0": {"target": f"+1202{n:07d}"}} for n in range(10_000)]
    turns = 0

    async def others() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    ticking = asyncio.get_running_loop().create_task(others())
    result = answered(await client.post(f"/v1.0/outdials/{outdial['id']}/targets/bulk", json={"targets": rows}))
    ticking.cancel()
    assert len(result["result"]) == 10_000
    assert turns > 500


def test_the_largest_import_is_no_bomb() -> None:
    party = b'{"type":"tel","target":"+12025550123","target_name":"a","name":"b","detail":"c"}'
    parties = b",".join(b'"destination_%d":%s' % (index, party) for index in range(5))
    row = b'{"name":"Ada","detail":"x","data":{"a":1,"b":[1,2,3]},' + parties + b"}"
    body = b'{"targets":[' + b",".join([row] * 10_000) + b"]}"
    assert len(body) < MAX_BULK_BODY_BYTES
    assert len(parse_json(body, MAX_BULK_BODY_BYTES)["targets"]) == 10_000
