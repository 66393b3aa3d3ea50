"""What the fields of commands are called, and the values that are codes of ours: for forms, in Chinese and English.

One word for a field of one name, whatever the command. A field that one procedure alone has may say its words itself, in the
metadata of its type: `Annotated[Fen, FieldWords("支出(分)", "spent in fen")]`. A test holds that each field of each command has
its words, and each value of each list of codes (tests/laws/test_law_forms.py). What the town itself names, such as
departments, stands in its policies.
"""

from collections.abc import Mapping
from typing import NamedTuple

from pydantic import BaseModel


class FieldWords(NamedTuple):
    """A field or a value in words."""

    zh: str
    en: str


FIELDS: Mapping[str, FieldWords] = {
    "account": FieldWords("账户", "account"),
    "amount_fen": FieldWords("金额(分)", "amount in fen"),
    "answer": FieldWords("反馈", "answer"),
    "appraisal": FieldWords("评议情况", "appraisal"),
    "arrears": FieldWords("是否补发", "with arrears"),
    "bank_reference": FieldWords("银行流水号", "reference of the bank"),
    "calendar": FieldWords("日历", "calendar"),
    "card_seen": FieldWords("是否已查验证件", "the card was seen"),
    "change": FieldWords("变化", "change"),
    "code": FieldWords("代码", "code"),
    "comment": FieldWords("说明", "comment"),
    "contact": FieldWords("联系方式", "contact"),
    "continues": FieldWords("是否继续", "goes on"),
    "department": FieldWords("部门", "department"),
    "departments": FieldWords("部门", "departments"),
    "disability_level": FieldWords("残疾等级", "level of disability"),
    "document": FieldWords("附件", "document"),
    "documents": FieldWords("材料", "documents"),
    "facts": FieldWords("核对结果", "facts"),
    "finding": FieldWords("调查情况", "finding"),
    "found": FieldWords("是否查到", "something was found"),
    "household_size": FieldWords("家庭人数", "household size"),
    "how": FieldWords("处理方式", "how"),
    "income_stable": FieldWords("收入是否稳定", "income is stable"),
    "into": FieldWords("并入案件", "goes into case"),
    "kind": FieldWords("材料种类", "kind of document"),
    "legal_basis": FieldWords("法律依据", "legal basis"),
    "member": FieldWords("家庭成员", "member of the household"),
    "monthly_income_fen": FieldWords("月收入(分)", "monthly income in fen"),
    "new_grounds": FieldWords("新的理由", "new grounds"),
    "note": FieldWords("备注", "note"),
    "opinion": FieldWords("意见", "opinion"),
    "order": FieldWords("督办要求", "order"),
    "outcome": FieldWords("申诉结果", "outcome"),
    "passed": FieldWords("是否通过", "passed"),
    "payment": FieldWords("发放笔次", "payment"),
    "payment_key": FieldWords("发放键", "payment key"),
    "positive": FieldWords("是否同意", "positive"),
    "reason": FieldWords("理由", "reason"),
    "receipt": FieldWords("收据号", "receipt"),
    "relation": FieldWords("近亲属关系", "relation"),
    "repayment": FieldWords("退款笔次", "repayment"),
    "request": FieldWords("所见编号", "number of what was seen"),
    "result": FieldWords("办理结果", "result"),
    "returned_at": FieldWords("退回时间", "returned at"),
    "satisfied": FieldWords("是否满意", "satisfied"),
    "score": FieldWords("评分", "score"),
    "since": FieldWords("起始月份", "since"),
    "solved": FieldWords("是否解决", "solved"),
    "source": FieldWords("核对来源", "source"),
    "text": FieldWords("内容", "text"),
    "upheld": FieldWords("是否成立", "upheld"),
    "voucher": FieldWords("凭证号", "voucher"),
    "working_days": FieldWords("工作日数", "working days"),
}


def words_of(model: type[BaseModel], field: str) -> FieldWords | None:
    """What a field of a command is called: by its own word, else by that of all fields of its name; None: nobody says."""
    own = (each for each in model.model_fields[field].metadata if isinstance(each, FieldWords))
    return next(own, FIELDS.get(field))


VALUES: Mapping[str, Mapping[str, FieldWords]] = {
    "Satisfied": {
        "satisfied": FieldWords("满意", "satisfied"),
        "basically": FieldWords("基本满意", "on the whole"),
        "not": FieldWords("不满意", "not satisfied"),
    },
    "Solved": {
        "solved": FieldWords("已解决", "solved"),
        "partly": FieldWords("部分解决", "partly solved"),
        "not": FieldWords("未解决", "not solved"),
    },
    "Outcome": {
        "upheld": FieldWords("维持原决定", "upheld"),
        "overturned": FieldWords("撤销原决定", "overturned"),
    },
    "Settlement": {
        "paid_otherwise": FieldWords("已以其他方式发放", "paid by other means"),
        "not_due": FieldWords("不应发放", "not due"),
    },
    "Change": {
        "death": FieldWords("去世", "death"),
        "move": FieldWords("迁出", "move"),
        "income": FieldWords("收入变化", "income"),
        "household": FieldWords("家庭成员变化", "household"),
    },
}
"""By the name of the list of codes, as the description of the API has it."""

YES_NO = {True: FieldWords("是", "yes"), False: FieldWords("否", "no")}
