"""What Schemathesis does not send, because no schema can say that it is refused.

- Whatever would revoke or narrow the access key that it holds.
- The nil id in a path; answers show it where nothing is referred to.
- Whole numbers beyond 64 bits, in fields too that the document does not name.
"""

import os
from typing import Any

import schemathesis

NIL = "00000000-0000-0000-0000-000000000000"
OWN_KEY = "OUTDIALER_CONFORMANCE_KEY"
LARGEST = 2**63


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
