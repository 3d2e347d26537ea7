import hashlib
import secrets

import httpx
import pytest
from msgspec import structs

from outdialer.api.auth import KEY_LENGTH, new_access_key
from outdialer.domain.units import NIL_ID
from tests.api_tmp_sqlite.conftest import CUSTOMER, World, answered, refused
from tests.api_tmp_sqlite.fakes import START, MemoryStore

PATH = "/v1.0/campaigns"
BAD_KEYS = ["x", "vb_", "vb_" + "a" * 32, "vb_" + "a" * 33, "é" * 35, "eyJhbGciOi.x.y", "vb_" + "é" * 32]


def test_a_key_is_random_and_only_its_hash_is_kept() -> None:
    made = [new_access_key(secrets.token_bytes, id=NIL_ID, customer=CUSTOMER, now=START) for _ in range(50)]
    assert len({token for token, _ in made}) == 50
    for token, key in made:
        assert token.startswith("vb_")
        assert len(token) == KEY_LENGTH == 35
        assert key.token_hash == hashlib.sha256(token.encode()).digest()
        assert key.token_prefix == token[:11]
        assert token not in repr(key)


@pytest.mark.parametrize(
    "slot", ["bearer", "lower bearer", "query accesskey", "query token", "cookie accesskey", "cookie token"]
)
async def test_every_slot(world: World, slot: str) -> None:
    token = await world.key()
    headers = {
        "bearer": {"Authorization": f"Bearer {token}"},
        "lower bearer": {"Authorization": f"bearer {token}"},
        "cookie accesskey": {"Cookie": f"a=b; accesskey={token}"},
        "cookie token": {"Cookie": f"token={token}"},
    }.get(slot, {})
    query = f"?{slot.split()[1]}={token}" if slot.startswith("query") else ""
    async with world.anonymous() as client:
        answered(await client.get(f"{PATH}{query}", headers=headers))


async def test_the_first_slot_that_holds_something_decides(world: World) -> None:
    token = await world.key()
    async with world.anonymous({"Authorization": f"Bearer {token}"}) as client:
        refused(await client.get(f"{PATH}?token=x"), 401, "INVALID_CREDENTIALS")
        refused(await client.get(PATH, headers={"Cookie": "token=x"}), 401, "INVALID_CREDENTIALS")
        answered(await client.get(f"{PATH}?accesskey=x"))
        answered(await client.get(f"{PATH}?token="))


@pytest.mark.parametrize("header", ["", "Basic dTpw", "Bearer", "Bearer ", "vb_x"])
async def test_no_key(world: World, header: str) -> None:
    async with world.anonymous({"Authorization": header}) as client:
        response = await client.get(PATH)
    refused(response, 401, "AUTHENTICATION_REQUIRED", "Authentication is required")
    assert response.headers["www-authenticate"].startswith("Bearer")


@pytest.mark.parametrize("token", BAD_KEYS)
async def test_bad_keys(client: httpx.AsyncClient, token: str) -> None:
    headers = {b"Authorization": b"Bearer " + token.encode()}
    refused(await client.get(PATH, headers=headers), 401, "INVALID_CREDENTIALS")


async def test_expired_and_revoked(world: World, store: MemoryStore) -> None:
    expired = await world.key(lifetime_us=1)
    revoked = await world.key()
    store.keys[-1] = structs.replace(store.keys[-1], tm_delete=world.clock.now())
    good = await world.key(lifetime_us=60_000_000)
    async with world.anonymous() as client:
        for token in (expired, revoked):
            refused(await client.get(f"{PATH}?accesskey={token}"), 401, "INVALID_CREDENTIALS", "expired")
        answered(await client.get(f"{PATH}?accesskey={good}"))
        world.clock.at += 60_000_000
        refused(await client.get(f"{PATH}?accesskey={good}"), 401, "INVALID_CREDENTIALS")
