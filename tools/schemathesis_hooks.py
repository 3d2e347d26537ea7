"""What Schemathesis may not do: revoke or narrow the access key that it holds.

Nor does it put the nil id, which answers show where nothing is referred to, into paths as if it were a valid one.
"""

import os
from typing import Any

import schemathesis

NIL = "00000000-0000-0000-0000-000000000000"
OWN_KEY = "OUTDIALER_CONFORMANCE_KEY"


@schemathesis.hook
def filter_case(context: schemathesis.HookContext, case: schemathesis.Case[Any]) -> bool:
    """Whether a request is sent."""
    return not {os.environ[OWN_KEY], NIL} & {str(value) for value in (case.path_parameters or {}).values()}
