"""演练 drills: the same procedure, the same clocks and people; every word that goes out says that it is one."""

from schemas.kernel.state import DeclaredState


class DrilledState(DeclaredState):
    """A case that may be a drill."""

    drill: bool = False
