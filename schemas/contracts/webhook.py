"""Webhooks: who of other systems is told what happens in cases, and in which words (docs/webhooks.md).

WebhookPolicy, WebhookRegister    an entry of policies/webhooks.yaml; all of them
Happened -> Event                 an entry of a ledger; what is told of it: a CloudEvent without anything of a person
signature                         what a receiver knows us by: Standard Webhooks, version 1

An event is told of an entry by its place and kind: told anew after a lost workflow task, it keeps its id.
"""

import base64
import hashlib
import hmac
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from pydantic import Field

from schemas.clocks.calendar import TownDatetime, in_shanghai
from schemas.contracts.department import Code
from schemas.contracts.department_policy import Name
from schemas.values.area import around, inside
from schemas.values.location import AreaCode
from schemas.values.model import Model

ID_HEADER, TIMESTAMP_HEADER, SIGNATURE_HEADER = "webhook-id", "webhook-timestamp", "webhook-signature"
MEDIA_TYPE = "application/cloudevents+json; charset=utf-8"
COMMUNITY_PARTS = 3
"""A community is district, street and itself: finer is nobody told where something is."""

_TYPE = "jiceng."


class WebhookPolicy(Model):
    """A subscription: what its receiver is told, and how it is reached.

    `procedures`, `kinds` and `areas`: cases of these, of these kinds of entries (none named: all), in these areas (none named:
    the whole town). `timeout_seconds` is real time for one call, `give_up_after_days` real days for one event.
    """

    code: Code
    name: Name
    url: str
    private: bool = False
    """Whether its address may lie in a private network: nobody is called there by accident (docs/SECURITY.md)."""

    procedures: tuple[str, ...] = Field(min_length=1)
    kinds: tuple[str, ...] = ()
    areas: tuple[AreaCode, ...] = ()
    concurrent_calls: int = Field(default=4, ge=1, le=64)
    timeout_seconds: float = Field(default=5.0, gt=0, le=30)
    first_pause_seconds: float = Field(default=5.0, gt=0)
    longest_pause_seconds: float = Field(default=3600.0, gt=0)
    give_up_after_days: float = Field(default=3.0, gt=0, le=30)

    def wants(self, procedure: str, kind: str, area: str) -> bool:
        """Whether its receiver is told of an entry of this kind in a case of this procedure there."""
        return (
            procedure in self.procedures
            and (not self.kinds or kind in self.kinds)
            and (not self.areas or any(inside(area, each) for each in self.areas))
        )

    def pause(self, attempts: int, asked: timedelta | None = None) -> timedelta:
        """How long to wait after so many attempts that came to nothing, or as long as the receiver asked, within our longest."""
        doubled = self.first_pause_seconds * 2 ** min(attempts - 1, 30)
        wanted = max(doubled, asked.total_seconds() if asked else 0)
        return timedelta(seconds=min(wanted, self.longest_pause_seconds))

    @property
    def patience(self) -> timedelta:
        """How long one event is tried, in real time."""
        return timedelta(days=self.give_up_after_days)


class WebhookRegister(Model):
    """policies/webhooks.yaml: the subscriptions of the town; there may be none."""

    webhooks: tuple[WebhookPolicy, ...] = ()

    def faults(self, kinds: Mapping[str, Collection[str]]) -> Iterator[tuple[tuple[str, ...], str, str]]:
        """Place, what and remedy of all that is well formed and wrong.

        Args:
            kinds: those of the entries that cases of each procedure have; none: neither is looked at.
        """
        codes = [each.code for each in self.webhooks]
        for number, each in enumerate(self.webhooks):
            place = ("webhooks", str(number))
            if codes.index(each.code) < number:
                yield (*place, "code"), f"{each.code!r} stands twice", "keep one"
            if not kinds:
                continue
            for name in each.procedures:
                if name not in kinds:
                    yield (*place, "procedures"), f"{name!r} is no procedure", f"write one of {', '.join(kinds)}"
            told = {kind for name in each.procedures for kind in kinds.get(name, ())}
            for kind in each.kinds:
                if kind not in told:
                    remedy = "write one as it stands in the timeline of a case, or leave `kinds` out for all"
                    yield (*place, "kinds"), f"{kind!r} is no kind of entry of these procedures", remedy


class Happened(Model):
    """An entry of a ledger, and how its case stood when it was looked at: what an event is made of."""

    case_id: str
    seq: int
    kind: str
    at: datetime
    procedure: str
    stage: str
    area: str
    department: str | None
    labels: dict[str, str]
    opened_at: datetime
    closed_at: datetime | None
    case_seq: int

    @property
    def event_id(self) -> str:
        """The id of the event: of its case, its place and its kind, and so the same whoever makes it and whenever."""
        told = f"{self.case_id} {self.seq} {self.kind}"
        return f"evt_{hashlib.sha256(told.encode()).hexdigest()[:32]}"


class CaseToldOf(Model):
    """A case as it stands: `seq` is the number of its last entry, so an event that comes late does not turn it back."""

    seq: int
    stage: str
    stage_zh: str
    stage_en: str
    area: str
    department: str | None
    labels: dict[str, str]
    opened_at: TownDatetime
    closed_at: TownDatetime | None


class Data(Model):
    """What is told of an entry: codes, numbers and times. Who acted, texts and facts stay in the town."""

    case_id: str
    procedure: str
    seq: int
    kind: str
    title: str
    case: CaseToldOf


class Event(Model):
    """A CloudEvent 1.0 in its structured form. `sequence` orders the events of a subject; `time` is town time."""

    specversion: str = "1.0"
    id: str
    source: str
    type: str
    subject: str
    time: TownDatetime
    datacontenttype: str = "application/json"
    sequence: str
    data: Data


def event_of(happened: Happened, title: str, stage: Name, source: str) -> Event:
    """Return what is told of an entry.

    Args:
        happened: the entry and its case.
        title: what an entry of this kind is called.
        stage: what the stage of the case is called.
        source: names the town.
    """
    return Event(
        id=happened.event_id,
        source=source,
        type=_TYPE + happened.kind.replace(":", "."),
        subject=happened.case_id,
        time=in_shanghai(happened.at),
        sequence=f"{happened.seq:010d}",
        data=Data(
            case_id=happened.case_id,
            procedure=happened.procedure,
            seq=happened.seq,
            kind=happened.kind,
            title=title,
            case=CaseToldOf(
                seq=happened.case_seq,
                stage=happened.stage,
                stage_zh=stage.zh,
                stage_en=stage.en,
                area=around(happened.area)[:COMMUNITY_PARTS][-1],
                department=happened.department,
                labels=happened.labels,
                opened_at=in_shanghai(happened.opened_at),
                closed_at=in_shanghai(happened.closed_at) if happened.closed_at else None,
            ),
        ),
    )


def signature(secrets: Sequence[bytes], event_id: str, timestamp: str, body: bytes) -> str:
    """The header `webhook-signature`: one for each key, so that a receiver who still has the old one believes it too.

    Args:
        secrets: the keys that are believed at the moment.
        event_id: without a full stop, which parts what is signed.
        timestamp: of this attempt, Unix seconds in digits.
        body: the very bytes that are sent.
    """
    content = b".".join((event_id.encode("ascii"), timestamp.encode("ascii"), body))
    made = (hmac.new(secret, content, hashlib.sha256).digest() for secret in secrets)
    return " ".join(f"v1,{base64.b64encode(each).decode()}" for each in made)


def headers_of(secrets: Sequence[bytes], event_id: str, timestamp: str, body: bytes) -> dict[str, Any]:
    """All headers of one attempt."""
    return {
        "Content-Type": MEDIA_TYPE,
        ID_HEADER: event_id,
        TIMESTAMP_HEADER: timestamp,
        SIGNATURE_HEADER: signature(secrets, event_id, timestamp, body),
    }
