"""A department that is named 派给、转办、移送: one that the town has, and no other."""

from collections.abc import Mapping
from typing import Any

from schemas.contracts.department import Code
from schemas.kernel.case import CaseState
from schemas.kernel.choices import Bounds, Choices
from schemas.kernel.policy import Policy
from schemas.kernel.procedure import Command
from schemas.values.references import TextReference
from schemas.values.refusals import say


class KnowsDepartments(CaseState):
    """What such a case remembers. `departments`: all of the town when it was opened; none: an older case, which asks nobody."""

    departments: tuple[Code, ...] = ()


def known_departments(policy: Policy) -> Mapping[str, Any]:
    """What the state of such a case begins with besides what was sent."""
    return {"departments": policy.departments}


class ToDepartment(Command):
    """A department is named, and why it is this one's."""

    department: Code
    reason: TextReference

    @classmethod
    def allowed(cls, state: CaseState) -> Mapping[str, Choices | Bounds]:
        """One of the town's departments."""
        known = state.departments if isinstance(state, KnowsDepartments) else ()
        return {"department": Choices(known, say("没有此代码的部门", "no department has this code"))} if known else {}
