"""Areas 区域: a code is a prefix of the codes of all areas inside it ("320104.003" covers "320104.003.07")."""


def inside(area: str, wider: str) -> bool:
    """Whether an area is the wider one or lies in it."""
    return area == wider or area.startswith(f"{wider}.")
