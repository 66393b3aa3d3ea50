"""What the ledger says of a motion, beside what the parts say."""

from typing import Any

from schemas.kernel.because import nobody_acted
from schemas.kernel.case import Entry
from schemas.kernel.entries import EntryKinds, entry
from schemas.kernel.explanation import Because
from schemas.kernel.reference_facts import Refers
from schemas.parts.ballots import BallotEntries
from schemas.parts.duties import DutyEntries
from schemas.parts.opinions import OpinionEntries
from schemas.parts.origins import OriginEntries
from schemas.parts.postings import PostingEntries
from schemas.values.refusals import say


def _why_admitted(entry: Entry, state: Any) -> Because:
    terms, cause = state.terms, entry.facts.get("cause")
    share = terms.joined.get(state.joined)
    said = {
        "supported": say(
            f"联名{'' if share is None else share.chinese},自动立项",
            f"those who join in it, {'' if share is None else share.english}, bring it onto the agenda",
        ),
        "screen": say(
            f"{terms.screen.chinese}内未答复,视为立项", f"nobody answered within {terms.screen.english}: it is admitted"
        ),
    }.get(str(cause), say("居(村)委会立项", "the committee admits it"))
    inputs = {name: entry.facts.get(name) for name in ("cause", "behind_it", "base")}
    return Because(rule="policies/council.yaml terms.joined, terms.screen", says=said, inputs=inputs)


class Kind(OriginEntries, PostingEntries, OpinionEntries, DutyEntries, BallotEntries, EntryKinds, procedure="council"):
    """What the ledger says happened."""

    PROPOSED = entry("proposed", "提议")
    SUPPORTED = entry("supported", "附议")
    SIGNED = entry("signatures_entered", "录入联名")
    ADMITTED = entry("admitted", "立项", _why_admitted)
    TEXT_POSTED = entry("text_posted", "文本公布", references={"text": Refers.TEXT})
    ANSWERED = entry("answered", "答复")
    MERGED = entry("merged", "合并")
    PASSED_ON = entry("passed_on", "转办")
    WITHDRAWN = entry("withdrawn", "撤回")
    INVITED = entry("invited", "邀请")
    ATTENDED = entry("attended", "登记到会")
    ROUND = entry("round", "议事")
    REVIEWED = entry("legally_reviewed", "合法性审查")
    AMENDED = entry("amended", "修改")
    PROLONGED = entry("prolonged", "延长协商")
    NOT_PASSED = entry("not_passed", "未通过,继续协商")
    ADOPTED = entry("adopted", "决定生效,开始执行")
    FILED = entry("filed", "备案")
    CORRECTION_ORDERED = entry("correction_ordered", "责令改正")
    TASK_REPORTED = entry("task:reported", "任务进展")
    TASK_VOUCHED = entry("task:vouched", "提议人认可")
    CONCLUDED = entry("concluded", "执行完毕")
    EVALUATED = entry("evaluated", "评议")
    CLOSED = entry("closed", "办结,决定与结果两公开")
    ARCHIVED = entry("archived", "归档")
    RULING_FILED = entry("ruling_filed", "登记裁判或决定")
    ANNULLED = entry("annulled", "撤销决定")
    UNRESOLVED = entry("unresolved", "逾期终结", nobody_acted("council"))
