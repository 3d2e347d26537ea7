"""What people do with the program, with a canary wherever one can be: rightly, and wrongly."""

import asyncio
from collections.abc import Mapping
from typing import Any

import httpx

from tests.canary.canaries import NUMBER, NUMBERS, SECRETS, TEXTS
from tests.canary.product import Life, created

EVERY_FORM = " / ".join(NUMBERS.values())
"""The number in a text, in every form."""
SAYS = {"name": f"Call {EVERY_FORM}", "detail": f"or {EVERY_FORM}, sip:{NUMBER[1:]}@host.example"}
"""What people write into what they make."""
ROLES = {"second": None, "manager": 64, "operator": 256, "viewer": 512, "agent": 16}
"""Who gets an access key, and what it may do; the second one as much as the first."""
AGENT = "canary@company.example"


async def make_people(life: Life, owner: httpx.AsyncClient) -> dict[str, str]:
    """Agents, keys and a second customer; the secrets that were made on the way, by name."""
    tenant = await created(
        owner,
        "/v1.0/customers",
        name="another tenant",
        email="office@other.example",
        username="owner@other.example",
        password=SECRETS["first agent password"],
        webhook_uri=f"http://127.0.0.1:1/?{SECRETS['secret in a tenant webhook URL']}",
    )
    made = {"first key": life.key, "tenant key": tenant["accesskey"]["token"]}
    for role, permission in ROLES.items():
        once = {"Idempotency-Key": f"{SECRETS['idempotency key']}-{role}"}
        key = await owner.post("/v1.0/accesskeys", json={"name": role, "permission": permission}, headers=once)
        again = await owner.post("/v1.0/accesskeys", json={"name": role, "permission": permission}, headers=once)
        assert done(key) == done(again)
        made[f"{role} key"] = key.json()["token"]
    address = [{"type": "tel", "target": NUMBER, **SAYS}]
    agent = {"username": AGENT, "password": SECRETS["agent password"], "permission": 64, "addresses": address}
    made_agent = await created(owner, "/v1.0/agents", **agent, **SAYS)
    path = f"/v1.0/agents/{made_agent['id']}/password"
    done(await owner.put(path, json={"password": SECRETS["other agent password"]}))
    login = await created(owner, "/auth/login", username=AGENT, password=SECRETS["other agent password"])
    made["token"] = login["token"]
    return made


async def furnish(owner: httpx.AsyncClient, hook_port: int) -> dict[str, str]:
    """Everything beside campaigns; the secrets that were made."""
    extension = {"extension": "2001", "password": SECRETS["extension password"], **SAYS}
    one = await created(owner, "/v1.0/extensions", **extension)
    changed = {"password": SECRETS["other extension password"]}
    done(await owner.put(f"/v1.0/extensions/{one['id']}", json=changed))
    trunk = {"username": "pbx", "password": SECRETS["exchange password"], **SAYS}
    one = await created(owner, "/v1.0/trunks", **trunk)
    done(await owner.put(f"/v1.0/trunks/{one['id']}", json={"password": SECRETS["other exchange password"]}))
    headers = {"X-Account": SECRETS["header line of a carrier"]}
    await created(owner, "/v1.0/providers", hostname="127.0.0.1:1", tech_headers=headers, **SAYS)
    talk = {"type": "talk", "option": {"text": f"Call {EVERY_FORM}", EVERY_FORM: [EVERY_FORM]}}
    await created(owner, "/v1.0/flows", actions=[talk], **SAYS)
    await created(owner, "/v1.0/queues", **SAYS)
    await created(owner, "/v1.0/tags", **SAYS)
    await created(owner, "/v1.0/numbers", number=NUMBER, **SAYS)
    uri = f"http://127.0.0.1:{hook_port}/{SECRETS['secret in a webhook URL']}"
    customer = {"webhook_uri": uri, "webhook_method": "POST", "phone_number": NUMBER, "address": EVERY_FORM, **SAYS}
    own = done(await owner.put("/v1.0/customer", json=customer))
    hook = await created(owner, "/v1.0/webhooks", uri=uri, event_types=[])
    return {"webhook secret": hook["secret"], "customer webhook secret": own["webhook_secret"]}


async def campaign(owner: httpx.AsyncClient, *actions: dict[str, Any]) -> None:
    """Run a campaign for one person."""
    source = {"type": "tel", "target": "+12025550100"}
    outplan = await created(owner, "/v1.0/outplans", source=source, dial_timeout=5_000, **SAYS)
    outdial = await created(owner, "/v1.0/outdials", data={"call": NUMBER, "or": [12025550188]}, **SAYS)
    said = {"name": f"{TEXTS['person']} {EVERY_FORM}", "detail": SAYS["detail"]}
    person = {**said, "data": f"{TEXTS['data']}: {EVERY_FORM}", "destination_0": {"target": NUMBER, **SAYS}}
    await created(owner, f"/v1.0/outdials/{outdial['id']}/targets", **person)
    refers = {"outplan_id": outplan["id"], "outdial_id": outdial["id"]}
    one = await created(owner, "/v1.0/campaigns", actions=list(actions), **SAYS, **refers)
    done(await owner.put(f"/v1.0/campaigns/{one['id']}/status", json={"status": "run"}))


def prompt() -> dict[str, Any]:
    """An action that plays what a password opens, at a place that does not answer."""
    url = f"http://prompts:{SECRETS['password in a prompt URL']}@127.0.0.1:1/hello.wav"
    return {"type": "play", "option": {"stream_urls": [url]}}


async def err(life: Life, owner: httpx.AsyncClient, token: str) -> str:
    """Mistakes with canaries in them, wherever a client can put one; what was answered."""
    long = SECRETS["agent password"] * 100
    link, mailed = SECRETS["password in a refused URL"], SECRETS["mailed token"]
    async with life.client(SECRETS["wrong key"]) as stranger, life.client(token) as agent:
        answers = [
            await stranger.get("/v1.0/campaigns"),
            await stranger.get(f"/v1.0/campaigns?token={SECRETS['wrong key']}&accesskey={SECRETS['wrong key']}"),
            await owner.post("/auth/login", json={"username": AGENT, "password": SECRETS["wrong login"]}),
            await owner.post("/auth/boot", json={"direct_hash": SECRETS["shortcut"]}),
            await owner.post("/auth/email-verify", json={"token": mailed}),
            await owner.get(f"/auth/password-reset?token={mailed}"),
            await owner.post(
                "/auth/password-reset", json={"token": mailed, "password": SECRETS["password after a mail"]}
            ),
            await agent.post("/auth/unregister", json={"password": SECRETS["leaver password"]}),
            await owner.post(
                "/v1.0/providers/setup",
                json={"carrier": "telnyx", "credentials": {"api_key": SECRETS["carrier API key"]}},
            ),
            await owner.post("/v1.0/agents", json={"username": "a@b.example", "password": long}),
            await owner.post("/v1.0/agents", json={"username": AGENT, "password": SECRETS["agent password"]}),
            await owner.post("/v1.0/agents", json={"username": 7, "password": [SECRETS["agent password"]]}),
            await owner.post("/v1.0/extensions", json={"extension": "2001", "password": SECRETS["extension password"]}),
            await owner.post("/v1.0/webhooks", json={"uri": f"http://user:{link}@10.0.0.1/"}),
            await owner.put("/v1.0/customer", json={"webhook_uri": f"https://user:{link}@crm.example/"}),
            await owner.request("PATCH", f"/v1.0/campaigns?accesskey={life.key}"),
            *[
                await owner.post("/v1.0/tags", json=body, headers={"Idempotency-Key": SECRETS["idempotency key"]})
                for body in ({"name": "once"}, {"name": "twice"})
            ][1:],
        ]
    assert {answer.status_code // 100 for answer in answers} == {4}, [answer.text for answer in answers]
    return "\n".join(f"{answer.headers} {answer.text}" for answer in answers)


async def misplace(life: Life, owner: httpx.AsyncClient) -> None:
    """Canaries where nobody expects them; the answer may quote them, for they were not secret there."""
    for method, path, body in (
        ("GET", f"/v1.0/{NUMBER}", None),
        ("GET", f"/v1.0/campaigns/{NUMBER}", None),
        ("GET", f"/v1.0/campaigns?page_token={NUMBER}&page_size={SECRETS['agent password']}", None),
        ("POST", "/v1.0/outplans", {"source": {"target": f"{NUMBER}{SECRETS['trunk password']}"}}),
        ("POST", "/v1.0/outplans", {"source": {"target": f"sip:2001:{SECRETS['extension password']}@127.0.0.1"}}),
        ("POST", "/v1.0/agents", {"username": SECRETS["agent password"], "password": 7}),
        ("POST", "/v1.0/accesskeys", {"name": 7, "token": life.key}),
    ):
        answer = await owner.request(method, path, json=body, headers={"X-Request-Id": NUMBER})
        assert 400 <= answer.status_code < 500, (method, path, answer.status_code, answer.text)
    reader, writer = await asyncio.open_connection("127.0.0.1", int(life.url.rpartition(":")[2]))
    writer.write(f"GET /{NUMBER} HTTP/9.9\r\nAuthorization Bearer {life.key}\r\n\r\n".encode())
    await writer.drain()
    await reader.read()
    writer.close()


async def ids_of(owner: httpx.AsyncClient, document: Mapping[str, Any]) -> dict[str, list[str]]:
    """The ids of what is there, by the name in the path; an object of each kind is the least that a run makes."""
    found: dict[str, list[str]] = {}
    for path, item in document["paths"].items():
        if "get" in item and "{" not in path and path.startswith("/v1.0/") and path != "/v1.0/events":
            rows = (await owner.get(path)).json().get("result", [])
            found[path.split("/")[2]] = [row["id"] for row in rows][:3]
    found["target_id"] = []
    for outdial in found["outdials"]:
        rows = (await owner.get(f"/v1.0/outdials/{outdial}/targets")).json()["result"]
        found["target_id"] += [row["id"] for row in rows]
    return found


async def read_all(
    client: httpx.AsyncClient, document: Mapping[str, Any], ids: Mapping[str, list[str]]
) -> dict[str, str]:
    """What every reading operation answers, by its path; the key stands in the URL once more."""
    answers = {}
    for path, item in document["paths"].items():
        if "get" not in item or path == "/v1.0/events":
            continue
        places = [path]
        if "{" in path:
            name = path.split("/")[2]
            places = [path.replace("{id}", one).replace("{file}", "start.js") for one in ids.get(name, [""])]
        if "{target_id}" in path:
            places = [place.replace("{target_id}", one) for place in places for one in ids["target_id"]]
        for place in places:
            answer = await client.get(place)
            assert answer.status_code < 500 or path == "/ready", (place, answer.text)
            answers[place] = f"{answer.status_code} {answer.headers} {answer.text}"
    return answers


def done(answer: httpx.Response) -> dict[str, Any]:
    """What was answered to something that went well."""
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    return body
