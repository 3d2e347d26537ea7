"""The campaign family: campaigns, outplans, outdials, targets."""

import pytest

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
CAMPAIGN_KEYS = (
    *("id", "customer_id", "type", "name", "detail", "status", "service_level", "end_handle", "actions"),
    *("outplan_id", "outdial_id", "queue_id", "next_campaign_id", "tm_create", "tm_update", "tm_delete"),
    *("dial_rate", "dial_channels"),
)
OUTPLAN_KEYS = (
    *("id", "customer_id", "name", "detail", "source", "dial_timeout", "try_interval"),
    *(f"max_try_count_{index}" for index in range(5)),
    *("tm_create", "tm_update", "tm_delete", "redial_answered"),
)
OUTDIAL_KEYS = ("id", "customer_id", "campaign_id", "name", "detail", "data", "tm_create", "tm_update", "tm_delete")
TARGET_KEYS = (
    *("id", "outdial_id", "name", "detail", "data", "status"),
    *(f"destination_{index}" for index in range(5)),
    *(f"try_count_{index}" for index in range(5)),
    *("tm_create", "tm_update", "tm_delete", "tm_due", "due_reason", "done_reason"),
)
TALK = {"type": "talk", "option": {"text": "Good morning", "language": "en-GB"}}
RAN = "/campaigns/{campaign}"

CAMPAIGNS = [
    row("a campaign's keys", get("/campaigns/{campaign}").has_keys(*CAMPAIGN_KEYS)),
    row(
        "nothing is needed to create one",
        post("/campaigns", {}).shows(
            type="call",
            status="stop",
            end_handle="stop",
            service_level=0,
            name="",
            detail="",
            actions=[],
            outplan_id=NIL,
            outdial_id=NIL,
            queue_id=NIL,
            next_campaign_id=NIL,
        ),
    ),
    row("fields that the API never had are ignored", post("/campaigns", flow_id=UNKNOWN, source={}).lacks("source")),
    *(
        row(f"{field} {value!r} is refused", post("/campaigns", {field: value}).refused(400, BAD, field, value))
        for field, value in (
            ("type", "sms"),
            ("type", "email"),
            ("end_handle", "loop"),
            ("end_handle", "next"),
            ("outplan_id", UNKNOWN),
            ("outdial_id", UNKNOWN),
            ("next_campaign_id", UNKNOWN),
            ("next_campaign_id", "nonsense"),
        )
    ),
    row("a service level above 100 is refused", post("/campaigns", service_level=101).refused(400, BAD, "101")),
    row("a queue waits for its work", post("/campaigns", queue_id="{queue}").refused(409, "FEATURE_UNAVAILABLE")),
    row("so does the type flow", post("/campaigns", type="flow").refused(409, "FEATURE_UNAVAILABLE")),
    row(
        "actions come back as they were sent",
        post("/campaigns", actions=[TALK]).shows(
            actions=[{"id": NIL, "next_id": NIL, "type": "talk", "option": TALK["option"], "tm_execute": None}]
        ),
        put("/campaigns/{campaign}/actions", actions=[{**TALK, "id": UNKNOWN}]).shows(
            actions=lambda found: found[0]["id"] == UNKNOWN
        ),
    ),
    row("an unknown action", post("/campaigns", actions=[{"type": "x"}]).refused(400, "INVALID_ACTION_TYPE", "x")),
    row(
        "a changed unknown action",
        put("/campaigns/{campaign}/actions", actions=[{"type": "x"}]).refused(400, "INVALID_ACTION_TYPE"),
    ),
    row(
        "a change keeps what it does not name",
        put("/campaigns/{campaign}", name="autumn").shows(name="autumn", end_handle="stop", outplan_id="{outplan}"),
        put("/campaigns/{campaign}", end_handle="continue").shows(name="autumn", end_handle="continue"),
        put("/campaigns/{campaign}/resource_info", next_campaign_id="{other_campaign}").shows(
            outplan_id="{outplan}", outdial_id="{outdial}", next_campaign_id="{other_campaign}"
        ),
        put("/campaigns/{campaign}/service_level", service_level=50).shows(service_level=50, name="autumn"),
        put("/campaigns/{campaign}/actions", {}).shows(actions=[]),
    ),
    row("a change of the status is not that of the campaign", put(RAN, status="run").shows(status="stop")),
    *(
        row(
            f"next_campaign_id {sent!r} clears",
            put(RAN + "/next_campaign_id", next_campaign_id=sent).shows(next_campaign_id=NIL),
        )
        for sent in ("", NIL)
    ),
    row(
        "next_campaign_id must be one of the customer's campaigns",
        put(RAN + "/next_campaign_id", next_campaign_id="x").refused(400, BAD, "next_campaign_id"),
        put(RAN + "/next_campaign_id", next_campaign_id=UNKNOWN).refused(400, BAD, UNKNOWN),
        put(RAN + "/next_campaign_id", next_campaign_id="{other_campaign}").shows(next_campaign_id="{other_campaign}"),
    ),
    row(
        "the service level",
        put(RAN + "/service_level", service_level=0).shows(service_level=0),
        put(RAN + "/service_level", service_level=100).shows(service_level=100),
        put(RAN + "/service_level", service_level=-1).refused(400, BAD, "-1"),
    ),
    row(
        "run and stop, each once and again",
        put(RAN + "/status", status="run").shows(status="run", tm_update=a_time),
        put(RAN + "/status", status="run").shows(status="run"),
        put(RAN + "/status", status="stop").shows(status=lambda found: found in ("stop", "stopping")),
        put(RAN + "/status", status="stop").shows(status=lambda found: found in ("stop", "stopping")),
    ),
    *(
        row(
            f"the status {sent!r} cannot be set",
            put(RAN + "/status", status=sent).refused(400, BAD, "status", "run, stop"),
        )
        for sent in ("stopping", "pause", "")
    ),
    row("a status that is missing", put(RAN + "/status", {}).refused(400, BAD, "status")),
    row(
        "what refers to nothing cannot run",
        put("/campaigns/{other_campaign}/status", status="run").refused(400, BAD, "outplan_id"),
    ),
    row(
        "a campaign that runs cannot be deleted",
        put(RAN + "/status", status="run"),
        delete(RAN).refused(409, "STATE_INVALID", "stop"),
        get(RAN).shows(tm_delete=None),
    ),
    row(
        "everything may change while it runs",
        put(RAN + "/status", status="run"),
        put(RAN, name="x", end_handle="continue").shows(status="run", name="x"),
        put(RAN + "/resource_info", outdial_id="{other_outdial}").shows(outdial_id="{other_outdial}"),
    ),
    row("a campaign's calls are a list", get(RAN + "/campaigncalls").shows(result=[], next_page_token="")),
    row(
        "lists by status",
        post("/campaigns", name="spring"),
        get("/campaigns?status=stop").shows(result=lambda rows: {"spring"} == {each["name"] for each in rows}),
        get("/campaigns?status=run").shows(result=[], next_page_token=""),
        get("/campaigns?status=paused").refused(400, "INVALID_REQUEST_PARAMETER", "paused", "stopping"),
        get("/outdials/{outdial}/targets?status=idle").shows(result=[]),
        get("/outdials/{outdial}/targets?status=x").refused(400, "INVALID_REQUEST_PARAMETER", "x", "idle"),
        get("/campaigncalls?status=done").shows(result=[]),
        get("/campaigncalls?status=x").refused(400, "INVALID_REQUEST_PARAMETER", "x", "progressing"),
        get("/calls?status=hangup").shows(result=[]),
        get("/calls?status=x").refused(400, "INVALID_REQUEST_PARAMETER", "x", "canceling"),
    ),
    row(
        "lists by campaign",
        get("/outdials?campaign_id={campaign}").shows(result=lambda rows: len(rows) == 1),
        get("/outdials?campaign_id=" + UNKNOWN).shows(result=[]),
        get("/campaigncalls?campaign_id={campaign}").shows(result=[]),
    ),
    *(
        row(
            f"a deleted one of {path} is shown where it is asked for",
            delete(one),
            get(path).shows(result=lambda rows: rows == []),
            get(path + "?deleted=true").shows(result=lambda rows: [bool(each["tm_delete"]) for each in rows] == [True]),
            get(path + "?deleted=x").refused(400, "INVALID_REQUEST_PARAMETER", "deleted", "true"),
        )
        for path, one in (
            ("/campaigns", "/campaigns/{other_campaign}"),
            ("/outplans", "/outplans/{outplan}"),
            ("/outdials", "/outdials/{outdial}"),
            ("/outdials/{outdial}/targets", "/outdials/{outdial}/targets/{target}"),
            ("/tags", "/tags/{tag}"),
        )
    ),
    row(
        "calls of one campaign among all",
        get("/campaigncalls?campaign_id={campaign}").shows(result=[], next_page_token=""),
        get("/campaigncalls?campaign_id=x").refused(400, "INVALID_REQUEST_PARAMETER", "campaign_id"),
    ),
    row("the calls of no campaign", get(f"/campaigns/{UNKNOWN}/campaigncalls").refused(404, "CAMPAIGN_NOT_FOUND")),
]
BOUND = [
    row(
        "a campaign takes its list, and gives it back when it is deleted",
        get("/campaigns/{campaign}"),
        get("/outdials/{outdial}").shows(campaign_id="{campaign}"),
        delete("/campaigns/{campaign}"),
        get("/outdials/{outdial}").shows(campaign_id=NIL),
    ),
    row(
        "another list frees the old one",
        put(RAN + "/resource_info", outdial_id="{other_outdial}").shows(outdial_id="{other_outdial}"),
        get("/outdials/{outdial}").shows(campaign_id=NIL),
        get("/outdials/{other_outdial}").shows(campaign_id="{campaign}"),
    ),
    row(
        "a list of one campaign is not for another",
        get(RAN),
        post("/campaigns", outdial_id="{outdial}").refused(400, BAD, "outdial_id", "campaign_id"),
        put("/campaigns/{other_campaign}/resource_info", outdial_id="{outdial}").refused(400, BAD, "outdial_id"),
        put("/outdials/{outdial}/campaign_id", campaign_id="").shows(campaign_id=NIL),
    ),
    row(
        "a deleted plan or list is not for a campaign",
        delete("/outplans/{outplan}"),
        post("/campaigns", outplan_id="{outplan}").refused(400, BAD, "outplan_id"),
        delete("/outdials/{outdial}"),
        post("/campaigns", outdial_id="{outdial}").refused(400, BAD, "outdial_id"),
    ),
    row(
        "plan, list, people, campaign, run",
        post("/outplans", name="p", source={"target": "+12025550100"}).named("p"),
        post("/outdials", name="l").named("l"),
        post("/outdials/{l}/targets", destination_0={"target": "+12025550123"}),
        post("/campaigns", name="c", outplan_id="{p}", outdial_id="{l}").named("c"),
        put("/campaigns/{c}/status", status="run").shows(status="run"),
    ),
    row(
        "campaign with an empty outdial_id, list with the campaign's id, resource_info",
        post("/outplans", name="p").named("p"),
        post("/campaigns", name="c", outplan_id="{p}", outdial_id="").named("c"),
        post("/outdials", campaign_id="{c}", name="l", detail="d", data="{}").shows(campaign_id="{c}").named("l"),
        post("/outdials/{l}/targets", name="n", detail="d", data="x", destination_0={"target": "+12025550123"}),
        put("/campaigns/{c}/resource_info", outplan_id="{p}", outdial_id="{l}", queue_id="", next_campaign_id="").shows(
            outdial_id="{l}"
        ),
        put("/campaigns/{c}/status", status="run").shows(status="run"),
    ),
]


def stored(field: str, sent: int, kept: int, *, live: bool = False) -> Row:
    return row(
        f"{field} {sent} is stored as {kept}{', live' if live else ''}",
        post("/outplans", {field: sent}).shows(**{field: kept}),
        put("/outplans/{outplan}/dial_info", {field: sent}).shows(**{field: kept}),
        live=live,
    )


TRIES = tuple(f"max_try_count_{index}" for index in range(5))
OUTPLANS = [
    row("an outplan's keys", get("/outplans/{outplan}").has_keys(*OUTPLAN_KEYS)),
    row(
        "what is left out",
        post("/outplans", {}).shows(
            source={},
            dial_timeout=30_000,
            try_interval=3_600_000,
            redial_answered=True,
            **dict.fromkeys(TRIES, 0) | {"max_try_count_0": 3},
        ),
    ),
    row(
        "one count given: the others are 0",
        post("/outplans", max_try_count_2=1).shows(max_try_count_0=0, max_try_count_2=1),
    ),
    row("an explicit 0 skips", post("/outplans", max_try_count_0=0).shows(**dict.fromkeys(TRIES, 0))),
    stored("dial_timeout", 1, 1_000),
    stored("dial_timeout", 30, 30_000),
    stored("dial_timeout", 600, 600_000),
    stored("dial_timeout", 999, 600_000),
    stored("dial_timeout", 1_000, 1_000),
    stored("dial_timeout", 25_000, 25_000),
    stored("try_interval", 900_000, 900_000),
    stored("try_interval", 60, 60),
    stored("try_interval", 60, 60_000, live=True),
    stored("try_interval", 60_001, 60_001, live=True),
    *(
        row(f"{field} {sent} is refused", post("/outplans", {field: sent}).refused(400, BAD, field, str(sent)))
        for field, sent in (("dial_timeout", -1), ("try_interval", -1), *((field, -1) for field in TRIES))
    ),
    row("a time that no number can be", post("/outplans", try_interval=10**15).refused(400, BAD, "try_interval")),
    row(
        "a change keeps what it does not name",
        put("/outplans/{outplan}", detail="d").shows(name="gentle", detail="d"),
        put("/outplans/{outplan}/dial_info", try_interval=1_000).shows(
            try_interval=1_000, dial_timeout=30_000, max_try_count_0=3, source=has(target="+12025550100")
        ),
    ),
    row(
        "who answered is not called again",
        put("/outplans/{outplan}", redial_answered=False).shows(redial_answered=False),
    ),
]
OUTDIALS = [
    row("an outdial's keys", get("/outdials/{outdial}").has_keys(*OUTDIAL_KEYS)),
    row("nothing is needed to create one", post("/outdials", {}).shows(name="", detail="", data="", campaign_id=NIL)),
    row("only a name and a detail", post("/outdials", name="n", detail="d").shows(name="n", detail="d")),
    row("a campaign that is not there", post("/outdials", campaign_id=UNKNOWN).refused(400, BAD, "campaign_id")),
    row(
        "changes",
        put("/outdials/{outdial}", name="n").shows(name="n"),
        put("/outdials/{outdial}/campaign_id", campaign_id="{other_campaign}").shows(campaign_id="{other_campaign}"),
        put("/outdials/{outdial}", detail="d").shows(name="n", detail="d", campaign_id="{other_campaign}"),
        put("/outdials/{outdial}/data", data="text").shows(data="text"),
        put("/outdials/{outdial}/data", {}).shows(data="text"),
    ),
    *(
        row(f"data {sent!r} is kept as text", post("/outdials", data=sent).shows(data=kept))
        for sent, kept in (
            ("", ""),
            ("text", "text"),
            ('{"a": 1}', '{"a": 1}'),
            ({}, "{}"),
            ({"a": [1]}, '{"a":[1]}'),
            (None, ""),
        )
    ),
]
TEL = {"type": "tel", "target": "+12025550123", "target_name": "", "name": "", "detail": ""}
SIP = {"type": "sip", "target": "sip:jane@127.0.0.1:5070", "target_name": "", "name": "", "detail": ""}
TO = "/outdials/{outdial}/targets"
TARGETS = [
    row("a target's keys", get("/outdials/{outdial}/targets/{target}").has_keys(*TARGET_KEYS)),
    row(
        "one destination is enough",
        post(TO, destination_0={"target": "+12025550123"}).shows(
            destination_0=TEL,
            status="idle",
            **{f"destination_{n}": {} for n in range(1, 5)},
            **{f"try_count_{n}": 0 for n in range(5)},
        ),
    ),
    row(
        "any of the five", post(TO, destination_3={"target": "+12025550123"}).shows(destination_3=TEL, destination_0={})
    ),
    row(
        "null and {} are no destination",
        post(TO, destination_0=None, destination_1={}, destination_2=TEL).shows(destination_1={}),
    ),
    row("without a destination", post(TO, name="x").refused(400, BAD, "At least one destination_N target is required")),
    row(
        "the type sip is understood",
        post(TO, destination_0={"target": "sip:jane@127.0.0.1:5070"}).shows(destination_0=SIP),
    ),
    row("so it is without sip:", post(TO, destination_0={"target": "jane@127.0.0.1:5070"}).shows(destination_0=SIP)),
    row(
        "all five keys of an address are kept",
        post(TO, destination_0={**TEL, "target_name": "Jane", "name": "home", "detail": "after six"}).shows(
            destination_0={**TEL, "target_name": "Jane", "name": "home", "detail": "after six"}
        ),
    ),
    row(
        "a number is normalised",
        post(TO, destination_0={"type": "tel", "target": "+1 (202) 555-0123"}).shows(destination_0=TEL),
    ),
    *(
        row(
            f"{kind} cannot be dialled",
            post(TO, destination_0={"type": kind, "target": "x"}).refused(400, BAD, "destination_0.type"),
        )
        for kind in (
            "extension",
            "agent",
            "conference",
            "email",
            "line",
            "web_session",
            "webchat",
            "ai",
            "whatsapp",
            "fax",
        )
    ),
    *(
        row(
            f"{sent!r} is no number", post(TO, destination_0={"target": sent}).refused(400, BAD, "destination_0.target")
        )
        for sent in ("hello", "12025550123x", "+1", "+911", "+1202555012345678")
    ),
    row("one number twice", post(TO, destination_0=TEL, destination_1=TEL).refused(400, BAD, "destination_1.target")),
    *(
        row(f"a target's data {sent!r}", post(TO, data=sent, destination_0=TEL).shows(data=kept))
        for sent, kept in ((None, ""), ("", ""), ("x", "x"), ({"ref": 1}, '{"ref":1}'))
    ),
    row(
        "of a list that is gone",
        delete("/outdials/{outdial}"),
        post(TO, destination_0=TEL).refused(409, "STATE_INVALID"),
    ),
    row("of no list", post(f"/outdials/{UNKNOWN}/targets", destination_0=TEL).refused(404, "OUTDIAL_NOT_FOUND")),
    row(
        "a deleted target is over",
        delete("/outdials/{outdial}/targets/{target}").shows(status="done", done_reason="removed", tm_delete=a_time),
        get(TO).shows(result=[]),
    ),
    row(
        "newest first, with pages",
        post(TO, name="a", destination_0=TEL),
        post(TO, name="b", destination_0=SIP),
        get(TO + "?page_size=1").shows(result=rows_named("b"), next_page_token=lambda token: token != ""),
    ),
]


@table(*CAMPAIGNS, *BOUND, *OUTPLANS, *OUTDIALS, *TARGETS)
async def test_campaign_family(world: World, line: Row) -> None:
    await prove(world, line)


@pytest.mark.parametrize("path", ["campaigns", "campaigncalls", "outplans", "outdials", "calls"])
async def test_lists_are_lists(world: World, path: str) -> None:
    await prove(world, row(path, get(f"/{path}").has_keys("result", "next_page_token").shows(result=[])))
