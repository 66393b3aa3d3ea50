"""What a summoned department does, and the coordinator who rules on one that declines. Texts are vault references."""

import operator

from pydantic import Field

from schemas.document import Document
from schemas.procedure import Command
from schemas.references import TextReference


class Respond(Command):
    """响应: the department says that it is coming."""


class Decline(Command):
    """反哨: the department says that the summons is not its own to answer, why, and by which law. Once."""

    reason: TextReference
    legal_basis: TextReference


class Ruling(Command):
    """裁定: the coordinator upholds the decline and releases the department, or says that it has to come."""

    upheld: bool
    reason: TextReference


class Arrive(Command):
    """到场: the department's people are on the spot."""


class Finish(Command):
    """办结: the department reports its own task done."""

    result: TextReference
    documents: tuple[Document, ...] = Field(default=(), max_length=10, exclude_if=operator.not_)
