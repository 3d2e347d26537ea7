"""What Schemathesis does not send, because no schema can say that it is refused, and what it sends instead of examples.

Not sent are:

- Whatever would revoke or narrow the access key that it holds.
- The nil id in a path; answers show it where nothing is referred to.
- Whole numbers beyond 64 bits, in fields too that the document does not name.

The ids of the document's examples are nobody's. Where one stands in a path, or any in a body or query that refers to
something, the id of the latest object that was made takes its place, so that more than the refusal is reached; and
where the key of the example is sent, one that was not sent before, because each stands for one request alone.

What is deleted stays readable here, so that Schemathesis's own check ``use_after_free``, which wants 404, is not used;
a check of ours wants that the object says so.
"""

import json
import os
import re
from typing import Any

import schemathesis

from outdialer.api.operations import EXAMPLE_ID

NIL = "00000000-0000-0000-0000-000000000000"
OWN_KEY = "OUTDIALER_CONFORMANCE_KEY"
MADE = "OUTDIALER_CONFORMANCE_MADE"
LARGEST = 2**63
PLACE = "https://crm.company.example/hook"
"""Where events may be sent to: no text that is made up is that, and links would lead nowhere."""
EXAMPLE_KEY = "5b1f8c0e-6c1d-4a57-9f0e-3f4a2f6a9b11"
REFERENCE = re.compile(r"(?:.*_)?([a-z]+)_id")
UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")

_made: dict[str, tuple[dict[str, Any], str]] = {path: ({}, made) for path, made in json.loads(os.environ[MADE]).items()}
"""The latest object that was made: by the path of its creation what stood in that path, and its id."""
_deleted: set[str] = set()
"""The paths of the objects that were deleted."""


def too_large(value: Any) -> bool:
    """Whether a number in a body is beyond 64 bits."""
    if isinstance(value, dict):
        return any(too_large(item) for item in value.values())
    if isinstance(value, list):
        return any(too_large(item) for item in value)
    return isinstance(value, int) and not -LARGEST <= value < LARGEST


@schemathesis.hook
def filter_case(context: schemathesis.HookContext, case: schemathesis.Case[Any]) -> bool:
    """Whether a request is sent."""
    in_path = {str(value) for value in (case.path_parameters or {}).values()}
    return not {os.environ[OWN_KEY], NIL} & in_path and not too_large(case.body)


@schemathesis.hook
def before_call(context: schemathesis.HookContext, case: schemathesis.Case[Any], kwargs: dict[str, Any]) -> None:
    """Put what is there in the place of what examples name."""
    collection, _, rest = case.operation.path.rpartition("/{")
    if case.path_parameters and EXAMPLE_ID in case.path_parameters.values() and collection in _made:
        above, made = _made[collection]
        case.path_parameters = {**above, rest.partition("}")[0]: made}
    if isinstance(case.body, dict):
        case.body = {name: _there(name, value) for name, value in case.body.items()}
    if isinstance(case.body, dict) and "uri" in case.body and case.meta and case.meta.phase.name.value == "stateful":
        case.body["uri"] = PLACE
    if case.query:
        case.query = {name: _there(name, value) for name, value in case.query.items()}
    if case.headers and case.headers.get("Idempotency-Key") == EXAMPLE_KEY:
        case.headers["Idempotency-Key"] = f"{EXAMPLE_KEY}-{case.id}"


def _there(name: str, value: Any) -> Any:
    """The id of an object that is there, where a reference names one."""
    kind = REFERENCE.fullmatch(name)
    if kind is None or not isinstance(value, str) or not UUID.fullmatch(value) or value == NIL:
        return value
    return _made.get(f"/v1.0/{kind[1]}s", ({}, value))[1]


@schemathesis.hook
def after_call(
    context: schemathesis.HookContext, case: schemathesis.Case[Any], response: schemathesis.Response
) -> None:
    """Remember what was made, and what was deleted."""
    operation = case.operation
    if response.status_code != 200 or operation.method == "get":
        return
    # What changes something deleted has taken the deletion back.
    _deleted.difference_update([path for path in _deleted if case.formatted_path.startswith(path)])
    if operation.method == "delete" and operation.path.endswith("}"):
        _deleted.add(case.formatted_path)
        _made.pop(operation.path.rpartition("/")[0], None)
    elif operation.method == "post" and operation.path.endswith("s"):
        body = response.json()
        if isinstance(body, dict) and "id" in body:
            _made[operation.path] = (dict(case.path_parameters or {}), body["id"])


@schemathesis.check
def deleted_objects_say_so(
    context: schemathesis.CheckContext, response: schemathesis.Response, case: schemathesis.Case[Any]
) -> None:
    """An object that was deleted, or is to be, shows when."""
    if case.operation.method == "get" and response.status_code == 200 and case.formatted_path in _deleted:
        shown = response.json()
        assert shown.get("tm_delete") or shown.get("tm_deletion_scheduled"), "it was deleted, and does not say when"
