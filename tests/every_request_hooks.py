"""What schemathesis cannot know of this API: a key for idempotency that is right is also new."""

import re
import uuid
from typing import Any

import schemathesis

KEY = "Idempotency-Key"
_RIGHT = re.compile(r"[!-~]{1,200}")


@schemathesis.hook("before_call")
def with_a_new_key(_context: Any, case: schemathesis.Case[Any], _arguments: dict[str, Any]) -> None:
    """Examples and generated values repeat; a key that was used with another body would be refused for that alone."""
    headers = case.headers
    if headers is not None and isinstance(headers.get(KEY), str) and _RIGHT.fullmatch(headers[KEY]):
        headers[KEY] = str(uuid.uuid4())
