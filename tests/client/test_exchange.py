"""What is sent, when again, and what comes of it: the decisions of the client, without a server."""

from collections.abc import Sequence
from typing import Any

import httpx
import pytest

from outdialer.client import (
    Conflict,
    NotFound,
    Refused,
    Retries,
    ServerFault,
    TooManyRequests,
    Unavailable,
    Unreachable,
)
from outdialer.client.exchange import Operation, Outcome, Send, Wait, exchange, read, request_of
from outdialer.client.resources.outdials import Outdial

GET: Operation[Any] = Operation("GET", "/v1.0/outdials/{id}", dict)
POST: Operation[Any] = Operation("POST", "/v1.0/outdials", dict)
PUT: Operation[Any] = Operation("PUT", "/v1.0/outdials/{id}", dict)
DONE = httpx.Response(200, content=b"{}")
LOST = httpx.ReadError("the connection broke")
NOBODY = httpx.ConnectError("nobody listens")


def refused(status: int, reason: str = "", **headers: str) -> httpx.Response:
    error = {"status": "S", "reason": reason, "message": "Because.", "request_id": "req_1"}
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    return httpx.Response(status, json={"error": error}, headers=sent)


def played(request: Send, outcomes: Sequence[Outcome], retries: Retries = Retries()) -> list[Send | Wait]:  # noqa: B008
    """What the client does when these things happen, up to its answer."""
    steps = exchange(request, "http://127.0.0.1", retries)
    happening = iter(outcomes)
    did = [next(steps)]
    try:
        while True:
            did.append(steps.send(None if isinstance(did[-1], Wait) else next(happening)))
    except StopIteration:
        assert next(happening, "everything happened") == "everything happened"
        return did


def get(**query: Any) -> Send:
    return request_of(GET, {"id": "a/b"}, query, None, None)


def test_a_request_has_what_was_given_and_nothing_else() -> None:
    request = request_of(
        PUT, {"id": "a/../b"}, {"page_size": 5, "page_token": None}, {"name": "x", "data": None}, '"3"'
    )
    assert request.path == "/v1.0/outdials/a%2F..%2Fb"
    assert request.query == {"page_size": "5"}
    assert request.content == b'{"name":"x"}'
    assert request.headers == {"If-Match": '"3"', "Content-Type": "application/json"}
    assert get().content is None


def test_every_post_has_a_key_of_its_own_and_keeps_it_when_sent_again() -> None:
    one, other = (request_of(POST, {}, {}, {}, None) for _ in range(2))
    assert one.headers["Idempotency-Key"] != other.headers["Idempotency-Key"]
    did = played(one, [LOST, refused(503), DONE])
    assert [step for step in did if isinstance(step, Send)] == [one, one, one]


@pytest.mark.parametrize("lost", [LOST, NOBODY, httpx.ReadTimeout("too long"), refused(429), refused(503)])
def test_what_did_nothing_is_sent_again_after_a_growing_wait(lost: Outcome) -> None:
    waits = [step.seconds for step in played(get(), [lost, lost, DONE]) if isinstance(step, Wait)]
    assert 0.25 <= waits[0] <= 0.75
    assert 0.5 <= waits[1] <= 1.5


def test_retry_after_is_honoured() -> None:
    assert Wait(7.0) in played(get(), [refused(429, Retry_After="7"), DONE])
    with pytest.raises(TooManyRequests) as error:
        played(get(), [refused(429, "RATE", Retry_After="31")])
    assert error.value.retry_after_s == 31


def test_a_guarded_change_whose_answer_was_lost_is_not_sent_again() -> None:
    guarded = request_of(PUT, {"id": "a"}, {}, {}, '"3"')
    with pytest.raises(Unreachable, match="broke"):
        played(guarded, [LOST])
    assert len(played(guarded, [NOBODY, DONE])) == 3
    assert len(played(guarded, [refused(503), DONE])) == 3


@pytest.mark.parametrize(
    ("status", "kind"), [(404, NotFound), (409, Conflict), (418, Refused), (500, ServerFault), (502, ServerFault)]
)
def test_other_refusals_are_final_and_say_everything(status: int, kind: type[Refused]) -> None:
    with pytest.raises(kind) as error:
        played(get(), [refused(status, "WHY")])
    assert type(error.value) is kind
    found = error.value
    assert (found.http_status, found.status, found.reason) == (status, "S", "WHY")
    assert (found.message, found.request_id) == ("Because.", "req_1")


def test_tries_come_to_an_end() -> None:
    with pytest.raises(Unavailable):
        played(get(), [refused(503)] * 4)
    with pytest.raises(Unreachable, match=r"http://127\.0\.0\.1 cannot be reached: nobody listens"):
        played(get(), [NOBODY], Retries(tries=1))


def test_an_answer_that_is_no_error_of_ours_is_still_an_exception() -> None:
    with pytest.raises(ServerFault, match="502"):
        played(get(), [httpx.Response(502, content=b"<html>")])


def test_answers_may_know_more_than_this_client() -> None:
    known = dict.fromkeys(("id", "customer_id", "campaign_id", "name", "detail", "data"), "x")
    times = {"tm_create": "2026-01-15T09:30:00.123456Z", "tm_update": "2022-04-29 07:01:45.808944", "tm_delete": None}
    response = httpx.Response(200, json={**known, **times, "new": {"a": 1}}, headers={"ETag": '"7"'})
    response.request = httpx.Request("GET", "http://127.0.0.1/")
    outdial = read(Operation("GET", "/", Outdial), response)
    assert outdial.etag == '"7"'
    assert outdial.tm_create is not None
    assert outdial.tm_create.isoformat() == "2026-01-15T09:30:00.123456+00:00"
    assert outdial.tm_update is not None
    assert outdial.tm_update.microsecond == 808944
