"""What Schemathesis may not do: revoke or narrow the access key that it holds."""

import os
from typing import Any

import schemathesis

OWN_KEY = "OUTDIALER_CONFORMANCE_KEY"


@schemathesis.hook
def filter_case(context: schemathesis.HookContext, case: schemathesis.Case[Any]) -> bool:
    """Whether a request is sent."""
    return os.environ[OWN_KEY] not in (case.path_parameters or {}).values()
