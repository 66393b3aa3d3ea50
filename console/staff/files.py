"""Files that come with a form: kept when they arrive, so that a fault elsewhere in the form does not cost them."""

from collections.abc import Mapping, Sequence

from console.forms.controls import Control, ControlKind
from console.forms.faults import PlacedFault
from console.http.forms import Posted
from schemas.kernel.case import CaseState
from schemas.values.actor import Actor
from schemas.values.both import Both
from schemas.values.refusals import RefusalCode, in_both
from starter.cases.documents import Attachments, keep_content, refuse_unless_uploader
from starter.http.problems import Problem, ProblemCode

_OF_A_FILE = frozenset(
    {ProblemCode.DOCUMENT_TYPE, ProblemCode.BODY_TOO_LARGE, ProblemCode.DOCUMENTS_AWAY, ProblemCode.TOO_MANY_REQUESTS,
     RefusalCode.AGAINST_THE_RULES, RefusalCode.NOT_YOUR_ROLE}
)  # fmt: skip


async def with_files_kept(
    attachments: Attachments, actor: Actor, state: CaseState | None, posted: Posted, texts: Mapping[str, Sequence[str]]
) -> tuple[dict[str, list[str]], list[PlacedFault]]:
    """The texts, with each file that came in place of its field; and what is wrong with files that were not taken."""
    found, faults = {name: list(each) for name, each in texts.items()}, []
    for place, files in posted.files.items():
        for content in files:
            try:
                await refuse_unless_uploader(attachments, actor)
                document, _ = await keep_content(attachments, actor, state, content)
            except Problem as problem:
                if problem.code not in _OF_A_FILE:
                    raise
                faults.append(
                    PlacedFault(
                        place, Both("附件", "file", "附件"), in_both(problem.kind.title), in_both(problem.detail)
                    )
                )
            else:
                found.setdefault(place, []).append(document.model_dump_json())
    return found, faults


def bytes_at_most(attachments: Attachments, controls: Sequence[Control]) -> int:
    """How much a form may bring in files: as many as it has fields for, and a few more where a field takes several."""
    if not any(each.with_files() for each in controls):
        return 0
    several = any(each.many or each.kind is ControlKind.ROWS for each in controls if each.with_files())
    return attachments.documents.policy.bytes_max * (3 if several else 1)
