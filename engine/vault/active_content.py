"""What a file may hold that an office or a reader would run, load or open by itself."""

from enum import StrEnum


class Active(StrEnum):
    """Kinds of active content, each a reason for not taking a file."""

    MACRO = "macro"
    CONTROL = "control"
    EMBEDDED = "embedded"
    EXTERNAL = "external"
    COMMAND = "command"
    SCRIPT = "script"
    HIDDEN = "hidden"


WORDS = {
    Active.MACRO: ("含宏", "it has macros"),
    Active.CONTROL: ("含ActiveX控件", "it has ActiveX controls"),
    Active.EMBEDDED: ("含嵌入对象或附件", "it has embedded objects or files"),
    Active.EXTERNAL: ("引用外部内容", "it loads something from elsewhere"),
    Active.COMMAND: ("含自动执行的命令或链接", "it has commands or links that run by themselves"),
    Active.SCRIPT: ("含脚本或自动动作", "it has scripts or actions that run by themselves"),
    Active.HIDDEN: ("已加密或损坏,无法查验", "it is locked, damaged or too large inside, so it cannot be looked into"),
}
