"""How everything is written on the wire: paths, ids, times, pages, deletion, errors, bodies."""

import pytest

from tests.api.conftest import World, over_both_stores
from tests.api.contract.rows import (
    NIL,
    UNKNOWN,
    Ask,
    Row,
    a_time,
    an_old_time,
    delete,
    get,
    post,
    prove,
    put,
    row,
    rows_named,
    table,
)

pytestmark = over_both_stores
BAD = ("INVALID_ARGUMENT", "INVALID_JSON_BODY", "INVALID_ID", "INVALID_REQUEST_PARAMETER")
ARGUMENT, JSON, ID, PARAMETER = BAD


def raw(path: str, content: bytes, method: str = "POST") -> Ask:
    return Ask(method, path, content=content)


PATHS = [
    row(f"{path} is no path", get(path).refused(404, "ROUTE_NOT_FOUND"), post(path).refused(404, "ROUTE_NOT_FOUND"))
    for path in (
        "/v1.0/nothing",
        "/v1.0/campaigns/",
        "/v1.0/Campaigns",
        "/v1.0//campaigns",
        "/v1.0/auth/login",
        "/v1.0/auth/boot",
        "/v1.0/auth/anything",
    )
]
IDS = [
    row(f"the path's id {bad} is refused", get(f"/outplans/{bad}").refused(400, ID, "not a valid UUID"))
    for bad in ("x", "123", NIL, UNKNOWN[:-1])
]
CLEARED = [
    row(
        f"a reference may be {sent!r} for none",
        post("/campaigns", {"outplan_id": sent, "outdial_id": sent, "queue_id": sent, "next_campaign_id": sent}).shows(
            outplan_id=NIL, outdial_id=NIL, queue_id=NIL, next_campaign_id=NIL
        ),
        post("/outdials", {"campaign_id": sent}).shows(campaign_id=NIL),
        post("/flows", {"on_complete_flow_id": sent}).shows(on_complete_flow_id=NIL),
        post("/queues", {"wait_flow_id": sent}).shows(wait_flow_id=NIL),
    )
    for sent in ("", NIL, None)
]
BODIES = [
    row("no body", raw("/outplans", b"").refused(400, JSON)),
    row("a body that is not JSON", raw("/outplans", b"name=x").refused(400, JSON)),
    row("a body that is not an object", raw("/outplans", b"[]").refused(400, JSON)),
    row("text where a number is due", post("/outplans", dial_timeout="30").refused(400, JSON, "dial_timeout")),
    row("a whole number in any spelling", post("/outplans", dial_timeout=25_000.0).shows(dial_timeout=25_000)),
    row("half a number", post("/outplans", dial_timeout=0.5).refused(400, JSON, "dial_timeout")),
    row("a number where text is due", post("/outplans", name=5).refused(400, JSON, "name")),
    row("a number where an object is due", post("/outplans", source=5).refused(400, JSON, "source")),
    row("unknown fields are ignored", post("/outplans", name="x", colour="red").shows(name="x").lacks("colour")),
    row(
        "null is like leaving a field out",
        post("/outplans", name=None, source=None, dial_timeout=None).shows(name="", source={}, dial_timeout=30_000),
        put("/outplans/{outplan}", name=None).shows(name="gentle"),
    ),
    row(
        "what only the server writes is ignored",
        post("/campaigns", id=UNKNOWN, customer_id=UNKNOWN, status="run", tm_create="x", tm_delete="x").shows(
            id=lambda text: text != UNKNOWN,
            customer_id=lambda text: text != UNKNOWN,
            status="stop",
            tm_create=a_time,
            tm_delete=None,
        ),
        post(
            "/outdials/{outdial}/targets", status="done", try_count_0=5, destination_0={"target": "+12025550123"}
        ).shows(status="idle", try_count_0=0),
        put("/outplans/{outplan}", id=UNKNOWN, tm_update="x", version=9).shows(id="{outplan}"),
    ),
]
SENT_BACK = [
    row(
        f"{path} takes back what it showed",
        get(path).named("read"),
        put(path, "read").shows(**dict.fromkeys(kept, lambda _: True)),
        get(path).shows(**{key: f"{{read.{key}}}" for key in kept}),
    )
    for path, kept in (
        ("/campaigns/{campaign}", ("name", "type", "end_handle", "status", "outplan_id", "outdial_id")),
        ("/outplans/{outplan}", ("name", "detail")),
        ("/outdials/{outdial}", ("name", "campaign_id")),
        ("/queues/{queue}", ("name", "routing_method", "wait_flow_id")),
        ("/tags/{tag}", ("name",)),
        ("/flows/{flow}", ("name", "on_complete_flow_id")),
        ("/agents/{agent}", ("name", "username", "status")),
        ("/extensions/{extension}", ("name", "extension", "domain_name")),
        ("/trunks/{trunk}", ("name", "domain_name")),
        ("/providers/{provider}", ("name", "hostname", "health_status")),
        ("/routes/{route}", ("name", "target", "provider_id")),
        ("/numbers/{number}", ("name", "number", "status")),
        ("/accesskeys/{accesskey}", ("name", "token_prefix", "tm_expire")),
    )
]
TIMES = [
    row("a time goes out in RFC 3339 with six digits", get("/outplans/{outplan}").shows(tm_create=a_time)),
    row("by a setting in the older form", get("/outplans/{outplan}").shows(tm_create=an_old_time), old_times=True),
    *(
        row(f"{path} was never updated", get(path).shows(tm_update=None, tm_delete=None))
        for path in ("/campaigns/{other_campaign}", "/outplans/{outplan}", "/outdials/{other_outdial}", "/tags/{tag}")
    ),
    row(
        "a target that was never tried was updated when it was made",
        get("/outdials/{outdial}/targets/{target}").shows(
            tm_create="{target.tm_create}", tm_update="{target.tm_create}"
        ),
    ),
]
THREE = (post("/tags", name="a").named("a"), post("/tags", name="b").named("b"), post("/tags", name="c").named("c"))
PAGES = [
    row("an empty list", get("/tags").has_keys("result", "next_page_token").shows(result=[], next_page_token="")),
    row("newest first", *THREE, get("/tags").shows(result=rows_named("c", "b", "a"), next_page_token="")),
    *(
        row(
            f"page_size={size} means 100",
            *THREE,
            get(f"/tags?page_size={size}").shows(result=rows_named("c", "b", "a")),
        )
        for size in (0, -1, 101, 100_000)
    ),
    row("a page_size that is no number", get("/tags?page_size=x").refused(400, PARAMETER, "page_size")),
    row("a page_size twice", get("/tags?page_size=1&page_size=2").refused(400, PARAMETER, "page_size")),
    row("a page_token that is no token", get("/tags?page_token=x").refused(400, PARAMETER, "page_token")),
    row(
        "the token of a page leads to the next one, and the last page has none",
        *THREE,
        get("/tags?page_size=2").shows(result=rows_named("c", "b")).named("first"),
        get("/tags?page_size=2&page_token={first.next_page_token}").shows(result=rows_named("a"), next_page_token=""),
    ),
    row(
        "a bare time is a token",
        *THREE,
        get("/tags?page_token={c.tm_create}").shows(result=rows_named("b", "a")),
        get("/tags?page_token={b.tm_create}").shows(result=rows_named("a")),
    ),
    row(
        "so is a bare time in the older form",
        *THREE,
        get("/tags?page_token={c.tm_create}").shows(result=rows_named("b", "a")),
        old_times=True,
    ),
    row(
        "a time long ago has nothing before it",
        *THREE,
        get("/tags?page_token=2022-06-17%2006:06:14.948432").shows(result=[]),
    ),
    row("other parameters are ignored", *THREE, get("/tags?colour=red").shows(result=rows_named("c", "b", "a"))),
]
DELETED = [
    row(
        f"{name}: gone from lists, readable by id, not changed any more, deleted once and for all",
        delete(path).shows(id=f"{{{name}}}", tm_delete=a_time, tm_update=a_time).named("gone"),
        get(path.rpartition("/")[0]).shows(result=lambda rows, name=name: name == "agent" or rows == []),
        get(path).shows(tm_delete="{gone.tm_delete}"),
        delete(path).shows(tm_delete="{gone.tm_delete}"),
        *([put(path, name="again").refused(409, "STATE_INVALID", "deleted")] if name != "target" else []),
    )
    for name, path in (
        ("other_campaign", "/campaigns/{other_campaign}"),
        ("outplan", "/outplans/{outplan}"),
        ("outdial", "/outdials/{outdial}"),
        ("target", "/outdials/{outdial}/targets/{target}"),
        ("queue", "/queues/{queue}"),
        ("tag", "/tags/{tag}"),
        ("flow", "/flows/{flow}"),
        ("agent", "/agents/{agent}"),
        ("extension", "/extensions/{extension}"),
        ("trunk", "/trunks/{trunk}"),
        ("provider", "/providers/{provider}"),
        ("route", "/routes/{route}"),
        ("number", "/numbers/{number}"),
    )
]
DELETED.append(
    row(
        "accesskey: gone from lists, readable by id, not changed any more",
        delete("/accesskeys/{accesskey}").shows(id="{accesskey}", tm_delete=a_time),
        get("/accesskeys/{accesskey}").shows(tm_delete=a_time),
        put("/accesskeys/{accesskey}", name="again").refused(409, "STATE_INVALID", "deleted"),
    )
)
MISSING = [
    row(f"{path} of nobody", get(f"/{path}/{UNKNOWN}").refused(404, reason))
    for path, reason in {
        "campaigns": "CAMPAIGN_NOT_FOUND",
        "campaigncalls": "CAMPAIGNCALL_NOT_FOUND",
        "outplans": "OUTPLAN_NOT_FOUND",
        "outdials": "OUTDIAL_NOT_FOUND",
        "queues": "QUEUE_NOT_FOUND",
        "queuecalls": "QUEUECALL_NOT_FOUND",
        "agents": "AGENT_NOT_FOUND",
        "tags": "TAG_NOT_FOUND",
        "flows": "FLOW_NOT_FOUND",
        "activeflows": "ACTIVEFLOW_NOT_FOUND",
        "calls": "CALL_NOT_FOUND",
        "groupcalls": "GROUPCALL_NOT_FOUND",
        "recordings": "RECORDING_NOT_FOUND",
        "recordingfiles": "RECORDING_NOT_FOUND",
        "extensions": "EXTENSION_NOT_FOUND",
        "trunks": "TRUNK_NOT_FOUND",
        "providers": "PROVIDER_NOT_FOUND",
        "providercalls": "PROVIDERCALL_NOT_FOUND",
        "routes": "ROUTE_NOT_FOUND",
        "accesskeys": "ACCESSKEY_NOT_FOUND",
        "numbers": "NUMBER_NOT_FOUND",
        "outbound_configs": "OUTBOUND_CONFIG_NOT_FOUND",
    }.items()
]
MISSING.append(
    row("a target of nobody", get(f"/outdials/{{outdial}}/targets/{UNKNOWN}").refused(404, "OUTDIAL_TARGET_NOT_FOUND"))
)
MISSING.append(
    row(
        "a target of another list",
        get("/outdials/{other_outdial}/targets/{target}").refused(404, "OUTDIAL_TARGET_NOT_FOUND"),
    )
)


@table(*PATHS, *IDS, *CLEARED, *BODIES, *SENT_BACK, *TIMES, *PAGES, *DELETED, *MISSING)
async def test_on_the_wire(world: World, line: Row) -> None:
    await prove(world, line)


@pytest.mark.parametrize("method", ["POST", "GET", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS"])
async def test_a_page_from_anywhere_may_send_every_method_and_header(world: World, method: str) -> None:
    headers = ("Origin", "X-Requested-With", "Content-Type", "Accept", "Authorization")
    asked = {"Origin": "http://page.example", "Access-Control-Request-Method": method}
    async with world.anonymous() as client:
        for header in headers:
            response = await client.options("/v1.0/tags", headers={**asked, "Access-Control-Request-Headers": header})
            assert response.status_code in (200, 204)
            assert response.headers["access-control-allow-origin"] == "*"
            assert method in response.headers["access-control-allow-methods"]
            assert header.lower() in response.headers["access-control-allow-headers"].lower()
            assert "access-control-allow-credentials" not in response.headers


async def test_options_tell_all_methods_of_a_path(world: World) -> None:
    async with world.anonymous() as client:
        response = await client.options(f"/v1.0/tags/{UNKNOWN}")
    assert response.status_code == 204
    assert set(response.headers["allow"].split(", ")) == {"GET", "PUT", "DELETE", "OPTIONS"}


async def test_every_error_has_one_form_and_the_id_of_its_request(world: World) -> None:
    async with world.anonymous() as client:
        response = await client.get("/v1.0/tags", headers={"X-Request-Id": "mine-1"})
    assert response.status_code == 401
    assert response.headers["content-type"].startswith("application/json")
    assert response.json() == {
        "error": {
            "status": "UNAUTHENTICATED",
            "reason": "AUTHENTICATION_REQUIRED",
            "message": response.json()["error"]["message"],
            "request_id": "mine-1",
        }
    }
