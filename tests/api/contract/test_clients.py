"""What each known client was seen to send, and how else it is used to being understood."""

from tests.api.conftest import World, over_both_stores
from tests.api.contract.rows import NIL, UNKNOWN, Row, get, has, post, prove, put, row, table

pytestmark = over_both_stores
ADDRESS = {"type": "tel", "target": "+12025550123", "target_name": "", "name": "", "detail": ""}
VN = [
    row(
        "empty texts for ids",
        post("/campaigns", name="c", outplan_id="", outdial_id="", queue_id="", next_campaign_id="").shows(
            queue_id=NIL
        ),
        put("/campaigns/{campaign}/resource_info", queue_id="", next_campaign_id="").shows(outplan_id="{outplan}"),
    ),
    row("partial changes", put("/campaigns/{campaign}", name="x").shows(name="x", end_handle="stop", type="call")),
    row(
        "addresses without a type",
        post("/outdials/{outdial}/targets", destination_0={"target": "+12025550123"}).shows(destination_0=ADDRESS),
        post("/outplans", source={"target": "+12025550123"}).shows(source=ADDRESS),
    ),
    row(
        "data as an object, an empty detail",
        post("/outdials", name="l", detail="", data={}).shows(data="{}", detail=""),
    ),
    row(
        "data that is null",
        post(
            "/outdials/{outdial}/targets", name="n", detail="", data=None, destination_0={"target": "+12025550123"}
        ).shows(data=""),
    ),
    row("a queue that rings all", post("/queues", name="q", routing_method="ringall").shows(routing_method="ringall")),
    row(
        "an agent without addresses",
        post("/agents", username="a@b.example", password="x", name="A").shows(addresses=[]),
    ),
    row(
        "an outplan without tries, times in seconds",
        post("/outplans", name="p", dial_timeout=30, try_interval=60).shows(
            dial_timeout=30_000, try_interval=60_000, max_try_count_0=3
        ),
        live=True,
    ),
    row("me, at its login", get("/me").shows(id=lambda text: text != NIL, permission=lambda bits: bits & 32)),
]
MCP = [
    row("creation without what is not set", post("/campaigns", name="c").shows(outplan_id=NIL, status="stop")),
    row(
        "what is left out keeps its value",
        put("/outplans/{outplan}/dial_info", max_try_count_1=1).shows(max_try_count_0=3),
    ),
    row("types and ends of long ago", post("/campaigns", type="sms").refused(400, "INVALID_ARGUMENT", "call, flow")),
]
TUTORIALS = [
    row(
        "a campaign with fields that the API never had",
        post("/campaigns", name="c", flow_id=UNKNOWN, source={"type": "tel", "target": "+12025550100"}).lacks("source"),
    ),
    row("an outdial of a name and a detail", post("/outdials", name="n", detail="d").shows(campaign_id=NIL, data="")),
    row(
        "all five destinations, the others null",
        post(
            "/outdials/{outdial}/targets",
            name="n",
            detail="d",
            data="",
            destination_0={"type": "tel", "target": "+12025550123", "target_name": "Jane"},
            **{f"destination_{index}": None for index in range(1, 5)},
        ).shows(destination_0=has(target_name="Jane"), destination_4={}),
    ),
]


@table(*VN, *MCP, *TUTORIALS)
async def test_what_clients_send(world: World, line: Row) -> None:
    await prove(world, line)


async def test_where_a_credential_may_stand(world: World) -> None:
    key = await world.key()
    async with await world.client() as client:
        body = {"username": "ada@clinic.example", "password": "correct horse", "permission": 32}
        assert (await client.post("/v1.0/agents", json=body)).status_code == 200
    async with world.anonymous() as client:
        login = await client.post("/auth/login", json={key: body[key] for key in ("username", "password")})
        assert set(login.json()) == {"username", "token"}
        cookie = login.headers["set-cookie"]
        assert all(part in cookie for part in ("token=", "Secure", "HttpOnly", "SameSite=Strict", "Max-Age=604800"))
        client.cookies.clear()
        for credential in (key, login.json()["token"]):
            for slot in ("token", "accesskey"):
                by_query = await client.get("/v1.0/campaigns", params={slot: credential})
                by_cookie = await client.get("/v1.0/campaigns", headers={"Cookie": f"{slot}={credential}"})
                assert (by_query.status_code, by_cookie.status_code) == (200, 200)
            bearer = await client.get("/v1.0/campaigns", headers={"Authorization": f"Bearer {credential}"})
            assert bearer.status_code == 200
        for path in ("/v1.0/auth/login", "/auth/login/"):
            assert (await client.post(path, json=body)).status_code == 404


async def test_the_token_in_the_cookie_goes_before_all_others(world: World) -> None:
    key = await world.key()
    async with world.anonymous() as client:
        bad = await client.get("/v1.0/campaigns", params={"accesskey": key}, headers={"Cookie": "token=vb_bad"})
        good = await client.get("/v1.0/campaigns", params={"accesskey": "vb_bad"}, headers={"Cookie": f"token={key}"})
    assert (bad.status_code, good.status_code) == (401, 200)


async def test_programs_of_other_languages_get_json_and_200(world: World) -> None:
    async with await world.client() as client:
        for path, body in (
            ("/agents", {"username": "a@b.example", "password": "x"}),
            ("/tags", {}),
            ("/campaigns", {}),
        ):
            response = await client.post(f"/v1.0{path}", json=body)
            assert response.status_code == 200
            assert response.headers["content-type"] == "application/json; charset=utf-8"
