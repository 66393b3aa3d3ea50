"""The stages of a motion, their words, and which of them belong together."""

from schemas.kernel.words import DeclaredStage


class Stage(DeclaredStage):
    """Where a motion stands."""

    PROPOSED = "proposed", "待立项", "您的议案已收到", "your motion is received"
    ADMITTED = "admitted", "已立项", "议案已立项,将召开议事会", "your motion is admitted; it will be talked over"
    DELIBERATING = "deliberating", "协商中", "议案正在协商", "your motion is being talked over"
    VOTING = "voting", "表决中", "议案正在表决", "your motion is being voted on"
    POSTED = "posted", "公示中", "表决结果正在公示", "the decision is posted for everybody to see"
    OBJECTED = "objected", "异议调查", "公示有异议,正在调查", "somebody objected; it is looked into"
    EXECUTING = "executing", "执行中", "决定正在执行", "the decision is being carried out"
    EVALUATING = "evaluating", "评议中", "请评议执行结果", "say whether it was done, and was worth it"
    CLOSED = "closed", "已办结", "议案已办结", "your motion is done"
    ARCHIVED = "archived", "已归档", "议案已归档", "your motion is filed away"
    ANSWERED = "answered", "已答复", "议案未立项,已书面答复", "your motion was answered; the answer says why"
    MERGED = "merged", "已合并", "议案已并入另一议案", "your motion is part of another one"
    PASSED_ON = "passed_on", "已转办", "议案已转有关部门", "your motion was passed on to a department"
    WITHDRAWN = "withdrawn", "已撤回", "议案已撤回", "your motion is withdrawn"
    ANNULLED = "annulled", "已撤销", "决定已被撤销", "the decision is annulled"
    UNRESOLVED = "unresolved", "逾期终结", "未能办结,已终结", "it ended without a decision"


BEFORE_VOTE = (Stage.PROPOSED, Stage.ADMITTED, Stage.DELIBERATING)
TALKED_OVER = (Stage.ADMITTED, Stage.DELIBERATING)
PUBLICITY = (Stage.POSTED, Stage.OBJECTED)
IN_FORCE = (*PUBLICITY, Stage.EXECUTING, Stage.EVALUATING, Stage.CLOSED)
"""Where something is decided, and can still be annulled."""
OPEN = (*BEFORE_VOTE, Stage.VOTING, *PUBLICITY, Stage.EXECUTING, Stage.EVALUATING)
