"""What a person or department is to be told by a case, on its way to the outbox."""

from typing import Any

from pydantic import Field

from schemas.values.model import Model


class Notice(Model):
    """Something a person or department is to be told: a template and the facts for it, no personal data.

    `to` is an address: `reporter`, `department:CODE`, `role:CODE`, or a tier's `duty_leader`, `supervisor`, `district_office`
    (`KINDS` in schemas/contracts/notice.py). `template` is one of policies/notices.yaml; `facts` are codes and whole numbers.
    `seq` and `position` are its place in the outbox, given when it first goes out and kept by whatever tells it again; 0: none yet.
    """

    to: str
    template: str
    facts: dict[str, Any] = {}
    seq: int = Field(default=0, exclude_if=lambda seq: not seq)
    position: int = Field(default=0, exclude_if=lambda position: not position)
