"""Notices 通知: the words of a template, and by which channels each kind of recipient is told."""

import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from string import Formatter
from typing import Any

from pydantic import Field

from schemas.clocks.calendar import TownDatetime
from schemas.values.model import Model

SHOWN = "shown"
"""The channel of the town's own screens: the notice stands in a table, and its recipient reads it there."""

CASE = "case_id"
UNKNOWN = "…"
PARTICIPANT = "participant"
KINDS = ("reporter", "department", "role", "duty_leader", "supervisor", "district_office", PARTICIPANT)
"""Recipients: `reporter`, `department:CODE`, `role:ROLE`, the tiers of a clock, `participant:ACCOUNT` with a seat in the case.

A kind stands for all its codes.
"""

OWN = frozenset({"reporter", PARTICIPANT})
"""Those who read what they are told on the town's own screens, and nowhere else."""

_CODE = re.compile(r"[a-z][a-z0-9_:-]{0,63}")


class Wording(Model):
    """A template in both languages; `{case_id}` and the facts of the notice stand in braces."""

    zh: str = Field(min_length=1)
    en: str = Field(min_length=1)

    def fields(self) -> set[str]:
        """The names in braces. Raises ValueError where the braces do not match."""
        return {name for text in (self.zh, self.en) for _, name, _, _ in Formatter().parse(text) if name is not None}


class Patience(Model):
    """How long a failing channel is tried: the pause doubles from `first_pause_seconds` on, in real seconds."""

    first_pause_seconds: float = Field(gt=0)
    longest_pause_seconds: float = Field(gt=0)
    attempts_at_most: int = Field(ge=1)


def word_of(procedure: str, code: str) -> str:
    """Under what the words of a procedure's own code stand among `NoticePolicy.words`."""
    return f"{procedure}/{code}"


DRILL = "drill"
"""The fact of a notice of a drill: every word that goes out says so."""


class NoticePolicy(Model):
    """policies/notices.yaml. `channels` names the key file of each channel; `words` say codes in words."""

    version: str = Field(min_length=1)
    channels: dict[str, str] = {}
    recipients: dict[str, tuple[str, ...]]
    patience: Patience
    words: dict[str, Wording]
    templates: dict[str, Wording]

    def faults(self) -> Iterator[str]:
        """Say what is wrong although each field is well formed: place, what, remedy."""
        yield from self._recipient_faults()
        if SHOWN in self.channels:
            yield f"channels.{SHOWN}: is the town's own; remove it"
        for room, wordings in (("templates", self.templates), ("words", self.words)):
            for name, wording in wordings.items():
                try:
                    wording.fields()
                except ValueError as error:
                    yield f"{room}.{name}: {error}; mend the braces"

    def _recipient_faults(self) -> Iterator[str]:
        for kind in KINDS:
            if kind not in self.recipients:
                yield f"recipients.{kind}: is missing; write [{SHOWN}] at least"
        for recipient, channels in self.recipients.items():
            if recipient.partition(":")[0] not in KINDS:
                yield f"recipients.{recipient}: is no recipient; begin it with one of {', '.join(KINDS)}"
            if recipient.partition(":")[0] in OWN and set(channels) - {SHOWN}:
                yield f"recipients.{recipient}: a channel is one address for all; leave [{SHOWN}], residents read their own"
            for channel in channels:
                if channel != SHOWN and channel not in self.channels:
                    yield f"recipients.{recipient}: {channel!r} is no channel; add it to channels or write {SHOWN}"

    def channels_of(self, recipient: str) -> tuple[str, ...]:
        """By which channels a recipient is told: by its own line, else by that of its kind, else on the screens.

        `recipient` is an address, as in `KINDS`.
        """
        kind = recipient.partition(":")[0]
        return self.recipients.get(recipient, self.recipients.get(kind, (SHOWN,)))

    def text(self, template: str, case_id: str, facts: Mapping[str, Any], names: Mapping[str, Wording]) -> str:
        """The notice in words, Chinese first. `names` are those of departments, by code.

        Nothing of a fact passes that is neither a number, a code or a list of these: no personal data. A free text shows as "…".
        """
        marked, drilled = ("【演练】", "drill: ") if facts.get(DRILL) is True else ("", "")
        wording = self.templates.get(template) or Wording(zh="案件{case_id}有新进展", en="news of case {case_id}")
        values = {name: self._said(value, names, case_id) for name, value in facts.items()}
        chinese = _filled(wording.zh, {name: said.zh for name, said in values.items()} | {CASE: case_id})
        english = _filled(wording.en, {name: said.en for name, said in values.items()} | {CASE: case_id})
        return f"{marked}{chinese} ({drilled}{english})"

    def _said(self, value: object, names: Mapping[str, Wording], case_id: str) -> Wording:
        if isinstance(value, int) and not isinstance(value, bool):
            return Wording(zh=str(value), en=str(value))
        if isinstance(value, list) and value:
            each = [self._said(one, names, case_id) for one in value]
            return Wording(zh="、".join(said.zh for said in each), en=", ".join(said.en for said in each))
        if not isinstance(value, str) or not _CODE.fullmatch(value):
            return Wording(zh=UNKNOWN, en=UNKNOWN)
        of_procedure = self.words.get(word_of(case_id.rpartition(".")[2].partition("-")[0], value))
        return names.get(value) or of_procedure or self.words.get(value) or Wording(zh=value, en=value)


class ProcedureNotices(Model):
    """policies/notices/NAME.yaml: the templates of one procedure, beside those of policies/notices.yaml."""

    templates: dict[str, Wording]


def _filled(text: str, values: Mapping[str, str]) -> str:
    return "".join(
        before + (values.get(name, UNKNOWN) if name is not None else "")
        for before, name, _, _ in Formatter().parse(text)
    )


class NoticeView(Model):
    """A notice as its recipient reads it. `at` is town time."""

    number: int
    case_id: str
    recipient: str
    template: str
    text: str
    at: TownDatetime


class NoticePage(Model):
    """A page of notices, newest first; the next one begins at `next_cursor`."""

    items: list[NoticeView]
    next_cursor: str | None


class Delivery(Model):
    """What became of a notice on one channel: for the town's own screen."""

    number: int
    case_id: str
    recipient: str
    channel: str
    template: str
    text: str
    at: TownDatetime
    status: str
    attempts: int
    settled_at: datetime | None
