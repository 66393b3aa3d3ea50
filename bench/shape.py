"""The shape of a case, in words that every contender understands: how it starts, who gives what, in which order."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from schemas.values.actor import Role

Body = Mapping[str, object]


class Person(NamedTuple):
    """Somebody with an account."""

    subject: str
    role: Role
    department: str | None = None


@dataclass(frozen=True)
class Step:
    """One command. `part`: the child case that takes it; `after`: the word for what must have come about before.

    stands      the child case is there
    gathered    everybody who was called has arrived, and the case has heard it
    settled     everybody has finished, and the case has heard it
    surveyed    every source has answered, and the household was visited
    """

    command: str
    by: str
    body: Body
    part: str = ""
    after: str = ""

    def target(self, case: str) -> str:
        """The id of the case that takes it: with all contenders, a child's is its parent's and its own name."""
        return f"{case}.{self.part}" if self.part else case


@dataclass(frozen=True)
class Shape:
    """A case from its start to the last command that is measured; what the case does by itself in between is its own.

    `asked`: whom it asks over HTTP, all at once; `parts`: its child cases; `papers`: the documents that its report names,
    which were uploaded before.
    """

    name: str
    path: str
    reporter: str
    report: Callable[[int], Body]
    people: Mapping[str, Person]
    steps: tuple[Step, ...]
    asked: tuple[str, ...] = ()
    parts: tuple[str, ...] = ()
    papers: tuple[str, ...] = ()


REPORT = {
    "category": "环境卫生",
    "description": "小区垃圾堆积未清理,已有三天",
    "location": {"address": "幸福小区3号楼", "lat": 32.06, "lon": 118.79},
    "channel": "app",
}

STANDARD = Shape(
    name="standard",
    path="/api/v1/incidents",
    reporter="resident",
    report=lambda _: REPORT,
    people={
        "resident": Person("resident-bench", Role.RESIDENT),
        "officer": Person("officer-bench", Role.DEPARTMENT_OFFICER, "urban-management"),
        "grid worker": Person("grid-bench", Role.GRID_WORKER),
    },
    steps=(
        Step("sign", "officer", {}),
        Step("finish", "officer", {"result": "垃圾已清运,现场已冲洗"}),
        Step("verify", "grid worker", {"passed": True}),
        Step("rate", "resident", {"solved": "solved", "satisfied": "satisfied"}),
    ),
)
"""The standard case: four commands after the report; the dispatch over HTTP is the case's own."""
