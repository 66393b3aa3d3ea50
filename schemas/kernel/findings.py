"""What an audit finds."""

from schemas.values.model import Model


class Finding(Model):
    """The result of one check of one case. `detail` says the place where it is not well; codes only."""

    case_id: str
    check: str
    ok: bool
    detail: str = ""
