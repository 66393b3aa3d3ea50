"""What every case of a declared procedure remembers: the town's terms that it goes by."""

from typing import Any

from schemas.kernel.case_file import FiledState
from schemas.values.actor import Channel
from schemas.values.references import PersonReference


class DeclaredState(FiledState):
    """The state of a case that goes by terms. A subclass says of which model `terms` is; it keeps those it began with."""

    terms: Any

    @property
    def documents_at_most(self) -> int:
        """The town's limit."""
        most: int = self.terms.documents_at_most
        return most

    @property
    def reminders_a_day(self) -> int:
        """The town's limit."""
        most: int = self.terms.reminders_a_day
        return most


class OpenedState(DeclaredState):
    """The state of a case that people open by a declared body (schemas/kernel/openings.py).

    `reporter`: whose case it is, if it is somebody's with an account. `on_behalf`: staff entered it for them.
    """

    reporter: PersonReference | None = None
    channel: Channel
    on_behalf: bool = False
