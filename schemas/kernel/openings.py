"""How a case of a procedure is opened, declared: by whom, with which body, at which address."""

from dataclasses import dataclass

from schemas.values.actor import Role
from schemas.values.model import Model


@dataclass(frozen=True)
class Opens:
    """The line that opens a case. `name`: what it is called in stamps; no command, for there is no case yet.

    `zh`, `en`: what somebody does thereby. `by`: whose it is. `address`: the last part of its address in the API.
    """

    model: type[Model]
    name: str
    zh: str
    en: str
    by: frozenset[Role]
    address: str

    @property
    def path(self) -> str:
        """Where the body is sent to."""
        return f"/api/v1/{self.address}"
