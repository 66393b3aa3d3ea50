"""What an operator can do about what is stuck, as pages call it. `final` is looked at once more before it is done."""

from dataclasses import dataclass

from schemas.values.both import Both

STUCK = "/stuck"


@dataclass(frozen=True)
class Act:
    """One act: its code in addresses, what it is called, what it does, and what is said when it was done."""

    code: str
    zh: str
    en: str
    description: Both
    done: Both
    final: bool = False

    def address(self, target: str) -> str:
        """Where its form is; `target`: the case, submission or notice that it is done to."""
        return f"{STUCK}/{self.code}/{target}"


ACTS = {
    act.code: act
    for act in (
        Act(
            "retry",
            "立即重试",
            "retry now",
            Both(
                "等待重试的外部办理立即再试,不必等到下次。",
                "What waits for its next try is tried at once, under the same key: nothing is ordered or paid twice.",
            ),
            Both("已立即重试,理由已交案件记录。", "Tried at once; the reason is noted in the case."),
        ),
        Act(
            "again",
            "重新办理",
            "deliver again",
            Both(
                "已暂存的操作重新交给案件办理:请在程序修复之后使用。",
                "What was set aside is delivered once more: after the fix.",
            ),
            Both("已重新交办,理由已交案件记录。", "It is delivered again; the reason is noted in the case."),
        ),
        Act(
            "set-aside",
            "暂存",
            "set aside",
            Both(
                "尚在重试的操作不再办理,提交人会被告知;已暂存的标为已查明。",
                "A command that is still tried is given up, "
                "and its sender is told so; one that was set aside counts as looked at.",
            ),
            Both("已暂存,理由已交案件记录。", "It is set aside; the reason is noted in the case."),
            final=True,
        ),
        Act(
            "send-again",
            "重发通知",
            "send again",
            Both("已放弃的通知从头再试。", "A notice that was given up is tried anew."),
            Both("将重新发送,理由已交案件记录。", "It is sent again; the reason is noted in the case."),
        ),
        Act(
            "seen",
            "标为已处理",
            "mark as dealt with",
            Both(
                "通知不再重试,也不再列在此处:请写明如何另行告知。",
                "It is not tried again and leaves this list: say how the recipient was told.",
            ),
            Both("已标为已处理,理由已交案件记录。", "It is marked; the reason is noted in the case."),
            final=True,
        ),
    )
}
