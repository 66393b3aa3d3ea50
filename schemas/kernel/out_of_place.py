"""What was written for another place: what a case is given instead of a value that Temporal holds and that is not meant for it.

Whoever reaches Temporal without a key can copy what this town wrote from one place to another. The codec finds it out
(engine/execution/codec.py); what becomes of it the kernel decides: a start fails, a signal is not heard, an answer is none.
"""

from schemas.values.model import Model

TELLS_REFUSED = "jiceng_tells_refused"
"""The name under which a worker gives its cases the function that keeps such a thing in `refusals`."""


class OutOfPlace(Model):
    """Stands where a value should: it was not written for here. `fault` is the codec's word, `of` the case that it is of."""

    fault: str
    of: str = ""


def found_out_of_place(value: object) -> OutOfPlace | None:
    """The value, if it stands for one that was not written for here."""
    return value if isinstance(value, OutOfPlace) else None
