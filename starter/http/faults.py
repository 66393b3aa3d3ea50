"""From what pydantic found to what a person can mend: field, reason, remedy. The wrong value is never repeated."""

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from pydantic_core import ErrorDetails

from schemas.values.refusals import Fault, say

Words = Callable[[Mapping[str, Any]], tuple[str, str]]


def _fixed(reason: str, remedy: str) -> Words:
    return lambda _: (reason, remedy)


_EXPECTED = re.compile(r"'([^']*)'")
_TEXT = _fixed(say("应为文本", "is not a text"), say("请填写文本", "write a text in quotes"))
_NUMBER = _fixed(say("应为数字", "is not a number"), say("请填写数字", "write a number without quotes"))
_MONEY = say(
    "请填写以分为单位的整数,例如1200.50元写作120050",
    "write a whole number of fen without quotes: 1200.50 yuan is 120050",
)
"""For every field whose name ends in _fen: whatever was written, yuan with decimals or commas, it is this that was wanted."""

_RANGE = _fixed(say("超出范围", "is out of range"), say("请填写范围内的数值", "write a value inside the range"))


def _choice(context: Mapping[str, Any]) -> tuple[str, str]:
    choices = _EXPECTED.findall(str(context.get("expected", "")))
    remedy = say(f"可选:{'、'.join(choices)}", f"one of: {', '.join(choices)}")
    return say("不在可选范围内", "is none of the choices"), remedy


_WORDS: Mapping[str, Words] = {
    "missing": _fixed(say("缺失", "is missing"), say("请填写", "add it")),
    "blank": _fixed(say("为空白", "is blank"), say("请填写内容", "write something")),
    "control_character": _fixed(
        say("含有控制字符", "has a control character"),
        say("除换行和制表符外请删除控制字符", "remove control characters other than line breaks and tabs"),
    ),
    "string_type": _TEXT,
    "string_too_long": lambda context: (
        say(f"超过{context.get('max_length')}个字符", f"has more than {context.get('max_length')} characters"),
        say("请缩短", "make it shorter"),
    ),
    "string_too_short": _fixed(say("为空白", "is blank"), say("请填写内容", "write something")),
    "string_pattern_mismatch": _fixed(say("格式不符", "has the wrong form"), say("请按格式填写", "see docs/api.md")),
    "extra_forbidden": _fixed(
        say("未知字段", "is not a field that is known here"), say("请删除或更正拼写", "remove it or mend its spelling")
    ),
    "enum": _choice,
    "literal_error": _choice,
    "float_type": _NUMBER,
    "int_type": _NUMBER,
    "finite_number": _NUMBER,
    "bool_type": _fixed(say("应为真或假", "is not true or false"), say("请填写 true 或 false", "write true or false")),
    "int_from_float": _fixed(say("应为整数", "is not a whole number"), say("请填写整数", "write a whole number")),
    "int_parsing_size": _RANGE,
    "greater_than": _RANGE,
    "greater_than_equal": _RANGE,
    "less_than": _RANGE,
    "less_than_equal": _RANGE,
    "half_a_coordinate": _fixed(
        say("经纬度不完整", "lat and lon come together"), say("请同时填写或同时省略", "give both or neither")
    ),
    "two_leads": _fixed(
        say("牵头部门只能有一个", "is a list: one department leads"), say("请只填一个部门", "name one of them")
    ),
    "gateway_channel": _fixed(
        say("该渠道仅供部门接口使用", "this channel is for departments only"), say("请填写其他渠道", "choose another")
    ),
    "reference_form": _fixed(
        say("含有本系统引用的写法", "holds what reads as a reference of ours (text:, person:, document:)"),
        say("请填写对方自己的编号", "write the other side's own number"),
    ),
    "personal_account": _fixed(
        say("是个人号码,不是账号", "is a person's number, not an account"),
        say("请填写账号代码,或省略", "write the code of the account, or leave it out"),
    ),
    "guest_account": _fixed(
        say(
            "不是账号:这是未登录上报人的代号",
            "is no account: what begins with guest: is of somebody without one",
        ),
        say("请填写账号代码,或省略", "write the code of the account, or leave it out"),
    ),
    "bank_account": _fixed(
        say("银行账号应为8至32位数字", "is not 8 to 32 digits"),
        say("请核对账号,只填数字", "look at it again, and write its digits only"),
    ),
    "list_type": _fixed(
        say("应为列表", "is not a list"), say("请填写列表", 'write {"lines": […]}, and nothing beside it')
    ),
    "model_type": _fixed(say("应为对象", "is not an object"), say("请填写对象", "write an object: {…}")),
}
_NAMED = re.compile(r"^(?:Value error, )?([a-z_]+): (.+)$", re.DOTALL)
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]{0,63}|\[key\]")
_NO_NAME = "…"
_BODY = "body"


def fault(field: str, kind: str, context: Mapping[str, Any] | None = None) -> Fault:
    """One thing wrong, by its kind."""
    reason, remedy = _WORDS[kind](context or {})
    return Fault(
        field=field, reason=reason, remedy=_MONEY if field.endswith("_fen") and kind != "extra_forbidden" else remedy
    )


def faults_of(errors: Iterable[ErrorDetails], *, skip: int = 0) -> list[Fault]:
    """All faults that pydantic found. `skip` leaves out so many first parts of each place, such as "query"."""
    return [_fault_of(error, skip) for error in errors]


def _named_part(part: int | str) -> str:
    """A part of a place, as it is called; what somebody may have written there is no name of ours, and is not repeated."""
    return str(part) if isinstance(part, int) or _NAME.fullmatch(part) else _NO_NAME


def _fault_of(error: ErrorDetails, skip: int) -> Fault:
    field = ".".join(_named_part(part) for part in error["loc"][skip:]) or _BODY
    if error["type"] in _WORDS:
        return fault(field, error["type"], error.get("ctx"))
    # A command's own validator names its field first: "reason: a failed verification needs a reason".
    named = _NAMED.match(error["msg"]) if error["type"] == "value_error" else None
    if named is not None:
        field = named[1] if field == _BODY else f"{field}.{named[1]}"
    return Fault(
        field=field,
        reason=named[2] if named else say("内容不符合要求", "does not fit"),
        remedy=say("请更正后重新提交", "mend it and send it again; docs/api.md says what is expected"),
    )
