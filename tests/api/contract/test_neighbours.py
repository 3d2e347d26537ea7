"""What stands beside the campaign family: queues, agents, tags, flows, calls, and how a customer is connected."""

from tests.api.conftest import World, over_both_stores
from tests.api.contract.rows import (
    NIL,
    UNKNOWN,
    Row,
    a_time,
    delete,
    get,
    has,
    post,
    prove,
    put,
    row,
    rows_named,
    table,
)

pytestmark = over_both_stores
BAD = "INVALID_ARGUMENT"
AWAY = "FEATURE_UNAVAILABLE"
TIMES = ("tm_create", "tm_update", "tm_delete")
OWNED = ("id", "customer_id", *TIMES)
QUEUES = [
    row(
        "a fresh queue leaves out what is empty or zero",
        post("/queues", {}).has_keys(*OWNED, "routing_method", "wait_flow_id"),
        post("/queues", name="q", wait_timeout=1_000).shows(name="q", wait_timeout=1_000, wait_flow_id=NIL),
    ),
    row("routing is random", post("/queues", routing_method="random").shows(routing_method="random")),
    row("ringall is understood", post("/queues", routing_method="ringall").shows(routing_method="ringall")),
    row("other routing is not", post("/queues", routing_method="best").refused(400, "INVALID_ROUTING_METHOD", "best")),
    row(
        "changed routing is checked too",
        put("/queues/{queue}/routing_method", routing_method="best").refused(400, "INVALID_ROUTING_METHOD"),
        put("/queues/{queue}/routing_method", routing_method="").shows(routing_method="random"),
    ),
    row(
        "tags of a queue",
        put("/queues/{queue}/tag_ids", tag_ids=["{tag}", "{tag}"]).shows(tag_ids=["{tag}"]),
        put("/queues/{queue}/tag_ids", tag_ids=[]).lacks("tag_ids"),
        put("/queues/{queue}/tag_ids", tag_ids=["x"]).refused(400, BAD, "tag_ids[0]"),
    ),
    row(
        "a change keeps what it does not name",
        put("/queues/{queue}", service_timeout=5_000).shows(name="sales", service_timeout=5_000),
        put("/queues/{queue}", name="x").shows(service_timeout=5_000, routing_method="random"),
    ),
    row("a negative time-out", post("/queues", wait_timeout=-1).refused(400, BAD, "wait_timeout")),
    row("nobody waits yet", get("/queuecalls").shows(result=[], next_page_token="")),
    row("nobody can be kicked", post(f"/queuecalls/{UNKNOWN}/kick").refused(404, "QUEUECALL_NOT_FOUND")),
    row("nor by a call", post(f"/queuecalls/reference_id/{UNKNOWN}/kick").refused(404, "QUEUECALL_NOT_FOUND")),
]
AGENT = {"username": "bob@clinic.example", "password": "correct horse"}
HELD = [{"type": "tel", "target": "+12025550188"}]
AGENTS = [
    row(
        "an agent's keys; times that are not set are left out",
        post("/agents", AGENT)
        .has_keys(
            *("id", "customer_id", "username", "name", "detail", "ring_method", "status", "permission"),
            *("tag_ids", "addresses", "direct_hash", "tm_create"),
        )
        .shows(status="offline", ring_method="ringall", permission=0, tag_ids=[], addresses=[]),
    ),
    row("addresses may be missing, and empty", post("/agents", {**AGENT, "addresses": []}).shows(addresses=[])),
    row("ringall alone", post("/agents", {**AGENT, "ring_method": "linear"}).refused(400, "INVALID_RING_METHOD")),
    row("an e-mail address", post("/agents", {**AGENT, "username": "bob"}).refused(400, "INVALID_USERNAME_FORMAT")),
    row(
        "one username, one agent",
        post("/agents", AGENT),
        post("/agents", AGENT).refused(409, "AGENT_ALREADY_EXISTS"),
    ),
    row(
        "one address, one agent",
        post("/agents", {**AGENT, "addresses": HELD}).shows(
            addresses=lambda found: found[0]["target"] == "+12025550188"
        ),
        put("/agents/{agent}/addresses", addresses=HELD).refused(409, "ADDRESS_ALREADY_ASSIGNED"),
        post("/agents", username="c@clinic.example", password="x", addresses=HELD).refused(
            409, "ADDRESS_ALREADY_ASSIGNED"
        ),
    ),
    row(
        "an agent's extension is one of the customer's",
        put("/agents/{agent}/addresses", addresses=[{"type": "extension", "target": "{extension}"}]).shows(
            addresses=lambda found: found[0]["type"] == "extension"
        ),
        put("/agents/{agent}/addresses", addresses=[{"type": "extension", "target": UNKNOWN}]).refused(
            400, BAD, UNKNOWN
        ),
        put("/agents/{agent}/addresses", addresses=[{"type": "email", "target": "a@b.example"}]).refused(400, BAD),
        put("/agents/{agent}/addresses", addresses=[]).shows(addresses=[]),
    ),
    *(
        row(f"the status {status!r}", put("/agents/{agent}/status", status=status).shows(status=status))
        for status in ("available", "away", "busy", "offline", "ringing", "")
    ),
    row("no other status", put("/agents/{agent}/status", status="asleep").refused(400, BAD, "asleep", "available")),
    *(
        row(
            f"the permission {permission}",
            put("/agents/{agent}/permission", permission=permission).shows(permission=permission),
        )
        for permission in (0, 1, 15, 16, 32, 64, 240, 65_535)
    ),
    row("no other permission", put("/agents/{agent}/permission", permission=5).refused(400, BAD, "5")),
    row(
        "the last admin stays one",
        put("/agents/{admin}/permission", permission=0).refused(409, "STATE_INVALID", "last admin"),
    ),
    row("and stays", delete("/agents/{admin}").refused(409, "STATE_INVALID", "last admin")),
    row("an empty password", put("/agents/{agent}/password", password="").refused(400, BAD, "password")),
    row("tags", put("/agents/{agent}/tag_ids", tag_ids=["{tag}"]).shows(tag_ids=["{tag}"])),
    row(
        "lists by status and by tags",
        post("/agents", AGENT),
        put("/agents/{agent}/status", status="away"),
        put("/agents/{agent}/tag_ids", tag_ids=["{tag}"]),
        get("/agents?status=away").shows(result=lambda rows: [each["status"] for each in rows] == ["away"]),
        get("/agents?tag_ids={tag}," + UNKNOWN).shows(result=lambda rows: len(rows) == 1),
        get("/agents?tag_ids=" + UNKNOWN).shows(result=[]),
        get("/agents?status=asleep").refused(400, "INVALID_REQUEST_PARAMETER", "asleep"),
    ),
    row(
        "me, with an access key",
        get("/me").shows(permission=lambda bits: bits & 32, username=""),
    ),
]
FLOWS = [
    row("a fresh flow", post("/flows", {}).has_keys(*OWNED, "type", "on_complete_flow_id").shows(type="flow")),
    row(
        "actions get ids",
        post("/flows", actions=[{"type": "beep"}]).shows(
            actions=lambda found: found[0]["id"] != NIL and has(next_id=NIL, type="beep", tm_execute=None)(found[0])
        ),
    ),
    row("an unknown action", post("/flows", actions=[{"type": "x"}]).refused(400, "INVALID_ACTION_TYPE", "x")),
    row(
        "an empty one is the engine's own",
        post("/flows", actions=[{"type": "empty"}]).refused(400, "INVALID_ACTION_TYPE"),
    ),
    row(
        "the next flow is one of the customer's",
        put("/flows/{flow}", on_complete_flow_id=UNKNOWN).refused(400, BAD, UNKNOWN),
        put("/flows/{flow}", on_complete_flow_id="{flow}").shows(on_complete_flow_id="{flow}"),
        put("/flows/{flow}", on_complete_flow_id="").shows(on_complete_flow_id=NIL, name="script"),
    ),
    row("no call, no activeflow", get("/activeflows").shows(result=[])),
    row("starting one waits", post("/activeflows", flow_id="{flow}", variables={"name": "Ada"}).refused(409, AWAY)),
    row("stopping none", post(f"/activeflows/{UNKNOWN}/stop").refused(404, "ACTIVEFLOW_NOT_FOUND")),
]
TAGS = [
    row("a tag", post("/tags", name="a", detail="b").has_keys(*OWNED, "name", "detail")),
    row("an empty tag", post("/tags", {}).shows(name="", detail="")),
    row("a change keeps what it does not name", put("/tags/{tag}", detail="d").shows(name="spanish", detail="d")),
]
CALLS = [
    row("no calls", get("/calls").shows(result=[], next_page_token="")),
    row(
        "calling outside of a campaign waits",
        post("/calls", destinations=[{"target": "+12025550123"}]).refused(409, AWAY),
        post("/calls", anonymous="perhaps").refused(400, "INVALID_ANONYMOUS_VALUE", "perhaps", "yes"),
    ),
    row("so does a groupcall", post("/groupcalls", destinations=[]).refused(409, AWAY)),
    row("no groupcalls", get("/groupcalls").shows(result=[])),
    row("no recordings", get("/recordings").shows(result=[])),
    *(
        row(f"{verb} of no call", post(f"/calls/{UNKNOWN}/{verb}", {}).refused(404, "CALL_NOT_FOUND"))
        for verb in ("hangup", "hold", "moh", "silence", "mute", "talk", "recording_start", "recording_stop")
    ),
]
HASHES = [
    row(
        f"a {kind} gets a shortcut, each time another one",
        post(f"/{kind}s/{{{kind}}}/direct-hash-regenerate")
        .shows(direct_hash=lambda text: len(text) >= 12)
        .named("first"),
        get(f"/{kind}s/{{{kind}}}").shows(direct_hash="{first.direct_hash}"),
        post(f"/{kind}s/{{{kind}}}/direct-hash-regenerate").named("second"),
        get(f"/{kind}s/{{{kind}}}").shows(direct_hash="{second.direct_hash}"),
        post(f"/{kind}s/{UNKNOWN}/direct-hash-regenerate").refused(404, f"{kind.upper()}_NOT_FOUND"),
    )
    for kind in ("agent", "queue", "flow", "extension")
]
EQUIPMENT = [
    row(
        "an extension's keys; its password is not shown",
        post("/extensions", extension="2002", password="x")
        .has_keys(*OWNED, "name", "detail", "extension", "domain_name", "username", "password", "direct_hash")
        .shows(username="2002", password="", domain_name=lambda text: len(text) == 36),
    ),
    row(
        "one number, one extension",
        get("/extensions/{extension}"),
        post("/extensions", extension="2001", password="x").refused(409, "NAME_ALREADY_EXISTS"),
    ),
    row(
        "a trunk's keys; its password is not shown",
        post(
            "/trunks",
            name="t",
            domain_name="t.example",
            auth_types=["ip", "basic"],
            username="u",
            password="x",
            allowed_ips=["192.0.2.7"],
        )
        .has_keys(*OWNED, "name", "detail", "domain_name", "auth_types", "username", "password", "allowed_ips")
        .shows(auth_types=["ip", "basic"], password="", allowed_ips=["192.0.2.7"]),
    ),
    row("a way to prove oneself that is none", post("/trunks", auth_types=["wish"]).refused(400, BAD, "wish")),
    row(
        "a provider's keys",
        post("/providers", type="sip", hostname="sip.example", tech_prefix="00", tech_headers={"X-A": "b"})
        .has_keys(
            *("id", "type", "hostname", "tech_prefix", "tech_postfix", "tech_headers", "metadata", "name", "detail"),
            *("codecs", "health_status", "health_checked_at", "rate_per_s", "channels", "max_ring_ms", *TIMES),
        )
        .shows(type="sip", health_status="unknown", health_checked_at=None, metadata={}, tech_headers={"X-A": "b"}),
    ),
    row("a provider that is not sip", post("/providers", type="h323").refused(400, BAD, "h323")),
    row("a carrier's account is not set up", post("/providers/setup", carrier="telnyx", name="x").refused(409, AWAY)),
    row(
        "a route's keys",
        post("/routes", customer_id="", name="r", provider_id="{provider}", priority=1, target="all")
        .has_keys(*OWNED, "name", "detail", "provider_id", "priority", "target", "rate_per_s", "channels")
        .shows(provider_id="{provider}", target="all", rate_per_s=0, channels=0),
        get("/routes").shows(result=rows_named("r")),
        get(f"/routes?customer_id={UNKNOWN}").shows(result=[]),
        get("/routes?customer_id=x").refused(400, "INVALID_REQUEST_PARAMETER", "customer_id"),
    ),
    row("a route by country", post("/routes", target="+82").refused(400, BAD, "+82")),
    row("a route of nobody", post("/routes", customer_id=UNKNOWN).refused(400, BAD, UNKNOWN)),
    row("a provider that is not there", post("/routes", provider_id=UNKNOWN).refused(400, BAD, UNKNOWN)),
    row(
        "no test calls",
        get("/providercalls").shows(result=[]),
        post("/providercalls", provider_id=UNKNOWN).refused(409, AWAY),
        post("/providercalls", provider_id=UNKNOWN, anonymous="perhaps").refused(400, "INVALID_ANONYMOUS_VALUE"),
    ),
    row(
        "a number's keys",
        get("/numbers/{number}")
        .has_keys(
            *("id", "customer_id", "number", "type", "call_flow_id", "message_flow_id", "name", "detail", "status"),
            *("t38_enabled", "emergency_enabled", "metadata", "tm_purchase", "tm_renew", *TIMES),
        )
        .shows(
            number="+12025550177", type="normal", status="active", metadata={"rtp_debug": False}, tm_purchase=a_time
        ),
    ),
    row(
        "a number's changes",
        put("/numbers/{number}", name="office").shows(name="office", number="+12025550177"),
        put("/numbers/{number}/flow_ids", call_flow_id="{flow}").shows(call_flow_id="{flow}", name="office"),
        put("/numbers/{number}/metadata", rtp_debug=True).shows(metadata={"rtp_debug": True}, call_flow_id="{flow}"),
        delete("/numbers/{number}").shows(status="deleted"),
    ),
    row("a number that is none", post("/numbers", number="hello").refused(400, BAD, "number")),
    row("numbers are not rented", post("/numbers/renew", tm_renew="2026-01-15T09:30:00Z").refused(409, AWAY)),
    row(
        "no outbound config until the first change",
        get("/outbound_config").refused(404, "OUTBOUND_CONFIG_NOT_FOUND"),
        put("/outbound_config", destination_whitelist=["us"])
        .has_keys(*OWNED, "name", "detail", "destination_whitelist", "codecs", "default_outgoing_source_number_id")
        .named("own"),
        put("/outbound_config", name="n").shows(name="n", destination_whitelist=["us"]),
        get("/outbound_configs").shows(result=rows_named("n")),
        get("/outbound_configs/{own}").shows(destination_whitelist=["us"]),
        get("/outbound_configs?customer_id={own.customer_id}").shows(result=rows_named("n")),
        get(f"/outbound_configs?customer_id={UNKNOWN}").shows(result=[]),
        post("/outbound_configs", name="m").refused(409, "NAME_ALREADY_EXISTS"),
        put("/outbound_configs/{own}", codecs="PCMA").shows(codecs="PCMA", name="n"),
        delete("/outbound_configs/{own}").shows(tm_delete=a_time),
        get("/outbound_config").refused(404, "OUTBOUND_CONFIG_NOT_FOUND"),
        post("/outbound_configs", name="m").shows(name="m"),
    ),
    row("a country that is none", put("/outbound_config", destination_whitelist=["US"]).refused(400, BAD)),
]
IDENTITY = [
    row(
        "a key is shown once",
        post("/accesskeys", name="k", detail="d", expire=86_400)
        .shows(token=lambda text: text.startswith("vb_") and len(text) == 35, tm_expire=a_time)
        .named("made"),
        get("/accesskeys/{made}").lacks("token").shows(token_prefix=lambda text: len(text) == 11),
    ),
    row("a key lives for a day at least", post("/accesskeys", expire=86_399).refused(400, BAD, "86399", "86400")),
    row(
        "the customer",
        get("/customer").shows(
            status="active", identity_verification_status="none", email_verified=False, metadata={"rtp_debug": False}
        ),
        put("/customer", name="Clinic").shows(name="Clinic"),
        put("/customer", detail="d").shows(name="Clinic"),
        put("/customer/metadata", rtp_debug=True).shows(metadata={"rtp_debug": True}),
        put("/customer/billing_account_id", billing_account_id=UNKNOWN).shows(billing_account_id=UNKNOWN),
        put("/customer", webhook_method="PATCH").refused(400, BAD, "PATCH"),
    ),
    *(
        row(f"{path} says what it waits for", post(path, body).refused(409, AWAY))
        for path, body in (
            ("/auth/boot", {"direct_hash": "x"}),
            ("/auth/signup", {"email": "a@b.example", "accepted_tos": True}),
            ("/auth/email-verify", {"token": "x"}),
            ("/auth/password-forgot", {"username": "a@b.example"}),
            ("/auth/password-reset", {"token": "x", "password": "y"}),
        )
    ),
    row(
        "a login that fails says nothing",
        post("/auth/login", username="nobody@clinic.example", password="x").refused(400, ""),
    ),
    row("nor does one that cannot be read", post("/auth/login", username=5).refused(400, "")),
]


@table(*QUEUES, *AGENTS, *FLOWS, *TAGS, *CALLS, *HASHES, *EQUIPMENT, *IDENTITY)
async def test_neighbours(world: World, line: Row) -> None:
    await prove(world, line)
