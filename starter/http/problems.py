"""Problem details (RFC 9457): every answer that is not the one asked for. docs/problems.md explains each."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

import structlog
from pydantic import Field
from starlette.requests import Request
from starlette.responses import Response

from engine.runtime.logging import where
from schemas.values.model import Model
from schemas.values.refusals import Fault, Refusal, RefusalCode, say

log = structlog.get_logger()
MEDIA_TYPE = "application/problem+json"
TYPE_PREFIX = "urn:jiceng:problem:"
RETRY_AFTER_SECONDS = 2
ISSUER_PAUSE_SECONDS = 10


@dataclass(frozen=True)
class Kind:
    """A problem type: its status and what it is called."""

    status: int
    title: str


class ProblemCode(StrEnum):
    """The problem types that are the door's own; the others are RefusalCode (the case's) and the codes of tokens."""

    BAD_REQUEST = "bad-request"
    BODY_TOO_LARGE = "body-too-large"
    BODY_TOO_SLOW = "body-too-slow"
    NOT_JSON = "not-json"
    UNKNOWN_CASE = "unknown-case"
    UNKNOWN_COMMAND = "unknown-command"
    UNKNOWN_SUBMISSION = "unknown-submission"
    UNKNOWN_ORDER = "unknown-order"
    UNKNOWN_PAYMENT = "unknown-payment"
    UNKNOWN_CALL = "unknown-call"
    UNKNOWN_DEVICE = "unknown-device"
    NOT_YET_TAKEN = "not-yet-taken"
    UNKNOWN_DOCUMENT = "unknown-document"
    DOCUMENT_ERASED = "document-erased"
    DOCUMENT_TYPE = "document-type"
    DOCUMENTS_AWAY = "documents-away"
    BANK_AWAY = "bank-away"
    BOX_AWAY = "box-away"
    TOO_MANY_ATTEMPTS = "too-many-attempts"
    TOO_MANY_REQUESTS = "too-many-requests"
    ISSUER_AWAY = "issuer-away"
    NOT_BELIEVED = "not-believed"
    NOT_RECORDED = "not-recorded"
    NOT_FOUND = "not-found"
    UNKNOWN_HOST = "unknown-host"
    METHOD_NOT_ALLOWED = "method-not-allowed"
    DATABASE_AWAY = "database-away"
    INTERNAL = "internal"


KINDS: Mapping[str, Kind] = {
    RefusalCode.NOT_YOUR_ROLE: Kind(403, say("角色无权限", "not for your role")),
    RefusalCode.NOT_YOUR_CASE: Kind(403, say("非本人或本部门案件", "not your case")),
    RefusalCode.NOT_NOW: Kind(409, say("当前环节不可办理", "not at this stage")),
    RefusalCode.AGAINST_THE_RULES: Kind(409, say("不符合规定", "against the rules")),
    RefusalCode.CASE_ENDED: Kind(409, say("案件已终结", "the case has ended")),
    RefusalCode.BAD_COMMAND: Kind(422, say("内容与案件不符", "does not fit the case")),
    RefusalCode.NOT_WHAT_YOU_SAW: Kind(409, say("不是您查看的那一项", "not what you saw")),
    RefusalCode.KEY_REUSED: Kind(422, say("幂等键已被使用", "idempotency key used before")),
    RefusalCode.ALREADY_HELD: Kind(409, say("已有在办或在享案件", "a living case holds it already")),
    RefusalCode.NOT_STAMPED: Kind(403, say("未经本系统受理", "not stamped by the API")),
    RefusalCode.SET_ASIDE: Kind(409, say("未能办理,已暂存待查", "laid aside")),
    RefusalCode.OUT_OF_PLACE: Kind(403, say("数据出现在不应出现之处", "written for another place")),
    ProblemCode.BAD_REQUEST: Kind(422, say("请求有误", "something is wrong with the request")),
    ProblemCode.BODY_TOO_LARGE: Kind(413, say("内容过大", "the body is too large")),
    ProblemCode.BODY_TOO_SLOW: Kind(408, say("内容发送过慢", "the body came too slowly")),
    ProblemCode.NOT_JSON: Kind(415, say("内容类型不支持", "the body is not declared as JSON")),
    ProblemCode.UNKNOWN_CASE: Kind(404, say("没有此案件", "no such case")),
    ProblemCode.UNKNOWN_COMMAND: Kind(404, say("没有此操作", "no such command")),
    ProblemCode.UNKNOWN_SUBMISSION: Kind(404, say("没有此提交", "no such submission")),
    ProblemCode.UNKNOWN_ORDER: Kind(404, say("没有此派单", "no such order")),
    ProblemCode.UNKNOWN_PAYMENT: Kind(404, say("没有此笔发放", "no such payment")),
    ProblemCode.UNKNOWN_CALL: Kind(404, say("没有这次呼叫", "no such call")),
    ProblemCode.UNKNOWN_DEVICE: Kind(404, say("没有绑定此设备", "no such device")),
    ProblemCode.NOT_YET_TAKEN: Kind(503, say("尚未确认受理", "not known yet whether it is taken")),
    ProblemCode.UNKNOWN_DOCUMENT: Kind(404, say("没有此附件", "no such document")),
    ProblemCode.DOCUMENT_ERASED: Kind(410, say("附件已依法清除", "the document was erased")),
    ProblemCode.DOCUMENT_TYPE: Kind(415, say("文件类型不受理", "a file of this kind is not taken")),
    ProblemCode.DOCUMENTS_AWAY: Kind(503, say("附件库暂不可用", "the store of the documents is away")),
    ProblemCode.BANK_AWAY: Kind(503, say("银行暂不可用", "the bank is away")),
    ProblemCode.BOX_AWAY: Kind(503, say("线上票箱暂不可用", "the ballot box is away")),
    ProblemCode.TOO_MANY_ATTEMPTS: Kind(429, say("尝试次数过多", "tried too often")),
    ProblemCode.TOO_MANY_REQUESTS: Kind(429, say("请求过于频繁", "too many requests")),
    ProblemCode.ISSUER_AWAY: Kind(503, say("登录服务暂不可用", "the issuer of the token is away")),
    ProblemCode.NOT_BELIEVED: Kind(401, say("签名未通过验证", "the signature is not believed")),
    ProblemCode.NOT_RECORDED: Kind(404, say("没有此记录", "no such record")),
    ProblemCode.NOT_FOUND: Kind(404, say("没有此地址", "no such address")),
    ProblemCode.UNKNOWN_HOST: Kind(421, say("访问地址不正确", "not called by this name")),
    ProblemCode.METHOD_NOT_ALLOWED: Kind(405, say("不支持此方法", "method not allowed here")),
    ProblemCode.DATABASE_AWAY: Kind(503, say("数据库暂不可用", "the database is away")),
    ProblemCode.INTERNAL: Kind(500, say("系统内部错误", "a fault of the system")),
}
TOKEN_KIND = Kind(401, say("未登录或登录失效", "not signed in"))


class ProblemBody(Model):
    """What is sent. `legal_commands` and `stage` come with a refused command, `faults` where fields are wrong.

    `in_the_way`: the living cases that hold already what was asked for, as far as the caller may know of them.
    """

    type: str = Field(examples=["urn:jiceng:problem:not-now"])
    title: str
    status: int
    detail: str
    instance: str
    code: str = Field(examples=["not-now"])
    request_id: str
    command: str | None = None
    stage: str | None = None
    legal_commands: tuple[str, ...] | None = None
    in_the_way: tuple[str, ...] | None = None
    faults: tuple[Fault, ...] | None = None


@dataclass(frozen=True)
class Attempt:
    """Something that somebody tried and may not do: it goes into the record of refusals."""

    code: RefusalCode
    command: str = ""
    case_id: str | None = None


class Problem(Exception):
    """An answer other than the one asked for. `attempt`: what is to be kept of it, where nobody has kept it yet."""

    def __init__(
        self,
        code: str,
        detail: str,
        *,
        faults: Sequence[Fault] | None = None,
        refusal: Refusal | None = None,
        headers: Mapping[str, str] | None = None,
        attempt: Attempt | None = None,
    ) -> None:
        super().__init__(detail)
        self.code = str(code)
        self.detail = detail
        self.kind = KINDS.get(code, TOKEN_KIND)
        self.faults = faults
        self.refusal = refusal
        self.headers = dict(headers or {})
        self.attempt = attempt

    def response(self, request: Request) -> Response:
        """The answer as it is sent."""
        refusal = self.refusal
        body = ProblemBody(
            type=f"{TYPE_PREFIX}{self.code}",
            title=self.kind.title,
            status=self.kind.status,
            detail=self.detail,
            instance=request.url.path,
            code=self.code,
            request_id=request.scope.get("request_id", ""),
            command=refusal.command if refusal else None,
            stage=refusal.stage if refusal else None,
            legal_commands=refusal.legal_commands if refusal else None,
            in_the_way=(refusal.in_the_way or None) if refusal else None,
            faults=tuple(self.faults) if self.faults else None,
        )
        text = body.model_dump_json(exclude_none=True)
        return Response(text, self.kind.status, headers=self.headers, media_type=MEDIA_TYPE)


ShowProblem = Callable[[Request, Problem], Response]
"""How a problem is shown to whoever asked for a page: `request.state.shows_problem` of its routes (console/http/pages.py)."""


def shown(request: Request, problem: Problem) -> Response:
    """A problem as whoever asked can read it: as a page where a page was asked for."""
    show: ShowProblem | None = getattr(request.state, "shows_problem", None)
    return problem.response(request) if show is None else show(request, problem)


FORBIDDEN = frozenset({RefusalCode.NOT_YOUR_ROLE, RefusalCode.NOT_YOUR_CASE})
"""Refusals for who somebody is, not for when or how."""


def refused(refusal: Refusal, *, kept: bool = False) -> Problem:
    """The problem that a refusal is. `kept`: it stands in the record of refusals already, as every refusal of a case does."""
    attempt = Attempt(refusal.code, refusal.command) if refusal.code in FORBIDDEN and not kept else None
    return Problem(refusal.code, refusal.detail, faults=refusal.faults, refusal=refusal, attempt=attempt)


def bad_request(faults: Sequence[Fault]) -> Problem:
    """All that is wrong with a request, at once."""
    return Problem(
        ProblemCode.BAD_REQUEST,
        say(f"请求中有{len(faults)}处错误", f"{len(faults)} thing(s) to mend in the request, each named below"),
        faults=faults,
    )


def outside_the_books(error: BaseException) -> Problem:
    """What was sent is nothing that the database can hold or look for. Doors refuse it earlier; what they let through ends here."""
    log.error("not_for_the_database", error=type(error).__name__, where=where(error))
    reason = say("含有数据库无法保存的值", "has something that the town's books cannot hold")
    remedy = say("请检查日期、数字和特殊字符", "look at its days, numbers and special characters")
    return bad_request([Fault(field="request", reason=reason, remedy=remedy)])


def too_many_requests(seconds: int) -> Problem:
    """Nothing was looked at; the same request can be sent again after so many seconds."""
    return Problem(
        ProblemCode.TOO_MANY_REQUESTS,
        say(f"请{seconds}秒后再试", f"nothing was looked at; send it again in {seconds} s"),
        headers={"Retry-After": str(seconds)},
    )


def issuer_away() -> Problem:
    """The token may be right or wrong: the key that it names could not be asked for."""
    return Problem(
        ProblemCode.ISSUER_AWAY,
        say("登录服务暂不可用,请稍后重试", "the issuer of this token does not answer; try again a little later"),
        headers={"Retry-After": str(ISSUER_PAUSE_SECONDS)},
    )


def database_away() -> Problem:
    """Nothing was written; the same request with the same key can be sent again."""
    return Problem(
        ProblemCode.DATABASE_AWAY,
        say("未受理,请稍后用同一幂等键重试", "nothing was accepted; send it again with the same key, a little later"),
        headers={"Retry-After": str(RETRY_AFTER_SECONDS)},
    )
