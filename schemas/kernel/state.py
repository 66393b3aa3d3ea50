"""What every case of a declared procedure remembers: the town's terms that it goes by."""

from typing import Any

from schemas.kernel.case_file import FiledState


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
