"""Areas 区域: a code is a prefix of the codes of all areas inside it ("320104.003" covers "320104.003.07")."""

COMMUNITY_PARTS = 3
"""A community is district, street and itself; a grid, which is smaller, is nobody else's business."""


def community_of(area: str) -> str | None:
    """The community that an area is or lies in; None: it is a wider one."""
    parts = area.split(".")
    return ".".join(parts[:COMMUNITY_PARTS]) if len(parts) >= COMMUNITY_PARTS else None


def around(area: str) -> list[str]:
    """The codes of the areas that one lies in, the wider before the narrower, and its own last."""
    parts = area.split(".")
    return [".".join(parts[: number + 1]) for number in range(len(parts))]


def inside(area: str, wider: str) -> bool:
    """Whether an area is the wider one or lies in it."""
    return area == wider or area.startswith(f"{wider}.")
