"""A command that was laid aside: what its case is told, so that its own record says so."""

from schemas.values.model import Model


class SetAside(Model):
    """A command of this case was not carried out: its workflow task failed with it. `failure` is a kind, no words.

    `case_id` is the case that is told; `number` is unique for ever: told twice, it counts once.
    """

    case_id: str
    number: str
    command: str
    failure: str
