"""Reading what is sent: a body of bounded size, declared as JSON, without surprises in it."""

import json
import re
from collections.abc import Sequence
from typing import Any, NoReturn, TypeVar

from pydantic import BaseModel, ValidationError
from starlette.requests import Request

from schemas.values.refusals import Fault, say
from starter.http.faults import fault, faults_of
from starter.http.problems import Problem, ProblemCode

BODY_BYTES_MAX = 128 * 1024
"""4,000 characters outside the basic plane take 48,000 bytes when they are escaped; the rest is room."""

DRAINED_BYTES_MAX = 4 * 1024 * 1024
KEY_HEADER = "Idempotency-Key"
KEY_FIELD = "idempotency_key"
_KEY = re.compile(r"[\x21-\x7e]{1,255}")
_LONE_SURROGATE = re.compile(r"[\ud800-\udfff]")

ModelT = TypeVar("ModelT", bound=BaseModel)


async def read_body(request: Request, limit: int = BODY_BYTES_MAX) -> bytes:
    """The body. Raises Problem: 413 when it is larger than `limit` bytes, 415 when it is not declared as JSON."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    body, size = bytearray(), 0
    async for part in request.stream():
        size += len(part)
        if size <= limit:
            body += part
        elif size > DRAINED_BYTES_MAX:
            break  # read on up to here, or the sender sees a broken connection instead of the answer
    if size > limit:
        raise Problem(
            ProblemCode.BODY_TOO_LARGE,
            say(f"请求内容不得超过{limit}字节", f"a body has at most {limit} bytes"),
        )
    if kind != "application/json":
        raise Problem(
            ProblemCode.NOT_JSON,
            say("请以 Content-Type: application/json 提交", "send it with Content-Type: application/json"),
        )
    return bytes(body)


def read_key(request: Request) -> tuple[str, list[Fault]]:
    """The idempotency key, and what is wrong with it."""
    given = request.headers.getlist(KEY_HEADER)
    if not given:
        return "", [fault(KEY_HEADER, "missing")]
    if len(given) > 1:
        reason = say("出现多次", "stands more than once")
        return "", [Fault(field=KEY_HEADER, reason=reason, remedy=say("请只填一个", "send one key with a request"))]
    key = given[0]
    faults = key_faults(key, KEY_HEADER)
    return ("" if faults else key), faults


def key_faults(key: str, field: str = KEY_FIELD) -> list[Fault]:
    """What is wrong with an idempotency key; `field` is where it stands."""
    if _KEY.fullmatch(key):
        return []
    reason = say("应为1至255个可见字符", "is not 1 to 255 visible ASCII characters")
    remedy = say("请使用例如 UUID", "use a UUID, for instance, and the same one when you send the same again")
    return [Fault(field=field, reason=reason, remedy=remedy)]


def read_model(model: type[ModelT], body: bytes) -> tuple[ModelT | None, list[Fault]]:
    """The body as a model, and all that is wrong with it. Strict: a number in quotes is no number."""
    plain, faults = read_json(body)
    return (None, faults) if faults else check_model(model, plain)


def read_json(body: bytes) -> tuple[Any, list[Fault]]:
    """The body as plain values, and what keeps it from being JSON without surprises."""
    try:
        plain = json.loads(body, object_pairs_hook=_each_name_once, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        return None, [_not_json(error)]
    if _LONE_SURROGATE.search(json.dumps(plain, ensure_ascii=False)):
        return None, [_not_json(ValueError("half a character"))]
    return plain, []


def check_model(model: type[ModelT], plain: Any) -> tuple[ModelT | None, list[Fault]]:
    """Plain values as a model, and all that is wrong with them."""
    try:
        # From the text again: only there does strict mode know that enumerations and dates come as strings.
        return model.model_validate_json(json.dumps(plain), strict=True), []
    except ValidationError as error:
        return None, faults_of(error.errors(include_url=False, include_input=False))


def together(*parts: Sequence[Fault]) -> list[Fault]:
    """All faults of a request, in order."""
    return [each for part in parts for each in part]


def _each_name_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    names = dict(pairs)
    if len(names) != len(pairs):
        raise ValueError("a name stands twice")
    return names


def _refuse_constant(_: str) -> NoReturn:
    raise ValueError("NaN or Infinity")


def _not_json(error: Exception) -> Fault:
    place = f" {error.lineno}:{error.colno}" if isinstance(error, json.JSONDecodeError) else ""
    return Fault(
        field="body",
        reason=say(f"不是有效的JSON{place}", f"is not JSON in UTF-8 with each name once{place}"),
        remedy=say("请更正后重新提交", "mend it and send it again"),
    )
