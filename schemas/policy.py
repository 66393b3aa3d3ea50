"""The town's rules for a procedure: policies/NAME.yaml as data. Each procedure derives its own shape."""

from collections.abc import Iterator

from schemas.model import Model
from schemas.tidy_text import is_blank

NOT_A_DEPARTMENT = "is no department of departments.yaml; mend the code or add the department there"


class Policy(Model):
    """What every policy file has. A case keeps the version that it started with.

    `departments` are the codes of departments.yaml: the loader fills them in, the file leaves them out.
    """

    version: str
    departments: tuple[str, ...] = ()

    def faults(self) -> Iterator[str]:
        """Say what is wrong although each field is well formed: place, what, remedy."""
        if is_blank(self.version):
            yield "version: is blank; count it up with every change"
