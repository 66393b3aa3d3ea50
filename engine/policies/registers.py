"""Files that list who is reached how (departments, sources, banks): every fault is told at once: file, entry, remedy."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from typing import Any, Generic, Protocol, Self, TypeVar
from urllib.parse import urlsplit

import yaml
from pydantic import ValidationError

from engine.runtime.guarded_http import is_public
from engine.runtime.operator_error import OperatorError
from engine.runtime.yaml_files import read_yaml
from schemas.contracts.department import Gateway
from schemas.contracts.department_policy import Name


class RegisterFaults(OperatorError, ValueError):
    """A register cannot be used as it stands. `faults` says, one by one, where and what to do."""

    def __init__(self, faults: list[str]) -> None:
        super().__init__("\n".join(faults))
        self.faults = faults


class Registered(Protocol):
    """What every entry of a register has."""

    @property
    def code(self) -> str:
        """The code: it stands in ids and addresses."""

    @property
    def name(self) -> Name:
        """The name, as on screens."""

    @property
    def gateway(self) -> Gateway:
        """Over HTTP, or at a desk."""

    @property
    def url(self) -> str | None:
        """Where; it may begin with a placeholder."""

    @property
    def private(self) -> bool:
        """Whether that may be in a private network."""

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:
        """The entry with other values."""

    @classmethod
    def model_validate(cls, obj: Any) -> Self:
        """Read an entry. Raises ValidationError."""


EntryT = TypeVar("EntryT", bound=Registered)


@dataclass(frozen=True)
class RegisterFile(Generic[EntryT]):
    """How one kind of register is written.

    `entries` is the key of its list, `one` what an entry is; `variable` is the setting that stands for `placeholder`.
    """

    entries: str
    one: str
    entry: type[EntryT]
    needed: str
    placeholder: str
    variable: str
    error: type[RegisterFaults] = RegisterFaults

    def read(
        self, file: Path, base: str | None, further: Callable[[list[EntryT]], list[str]] = lambda _: []
    ) -> list[EntryT]:
        """Return the entries as they are written.

        `base` is what stands for the placeholder, if anything does. `further` looks at all entries, once each is sound by
        itself. Raises RegisterFaults, as the `error` of this kind.
        """
        written = self._written(file)
        faults: list[str] = []
        entries: list[EntryT] = []
        for number, each in enumerate(written, start=1):
            code = each.get("code", "no code") if isinstance(each, dict) else "not a mapping"
            where = f"{file}: entry {number} ({code})"
            try:
                entry = self.entry.model_validate(each)
            except ValidationError as error:
                faults.extend(
                    f"{where}: {_dotted(fault['loc'])}: {fault['msg']}; {self._remedy(fault['type'])}"
                    for fault in error.errors()
                )
                continue
            faults.extend(f"{where}: {fault}" for fault in self._address_faults(entry))
            entries.append(entry)
        if len(entries) == len(written):
            faults.extend(f"{file}: {fault}" for fault in (*_twice(entries), *further(entries)))
        if base is not None:
            faults.extend(f"{self.variable}: {fault}; write http(s)://host" for fault in url_faults(base))
        if faults:
            raise self.error(faults)
        return entries

    def addressed(self, entries: Iterable[EntryT], base: str | None) -> tuple[tuple[EntryT, ...], tuple[str, ...]]:
        """Return the entries with whole addresses, and who is put to the desk for want of one."""
        placed = []
        without = []
        for entry in entries:
            url, private = entry.url, entry.private
            if url is not None and url.startswith(self.placeholder):
                private = True  # a setting of whoever runs the machine, not a line of policy, says where
                url = None if base is None else base.rstrip("/") + url.removeprefix(self.placeholder)
            if entry.gateway is Gateway.HTTP and url is None:
                without.append(entry.code)
                placed.append(entry.model_copy(update={"gateway": Gateway.DESK, "url": None}))
            else:
                placed.append(entry.model_copy(update={"url": url and url.rstrip("/"), "private": private}))
        return tuple(placed), tuple(without)

    def _written(self, file: Path) -> list[Any]:
        try:
            content = read_yaml(file)
        except OSError as error:
            raise self.error([f"{file}: {error.strerror}; set JICENG_POLICIES to the folder that has it"]) from error
        except (yaml.YAMLError, UnicodeDecodeError) as error:
            raise self.error([f"{file}: not readable as YAML: {error}; mend the line it names"]) from error
        entries = content.get(self.entries) if isinstance(content, dict) else None
        if not isinstance(entries, list) or not entries:
            raise self.error([f"{file}: no {self.entries}; write a list under the key {self.entries!r}"])
        return entries

    def _remedy(self, kind: str) -> str:
        return {
            "missing": "add it",
            "extra_forbidden": "remove it or mend its spelling",
            "enum": "write http or desk",
            "string_pattern_mismatch": "write letters, digits and hyphens only",
            "string_too_short": "fill it in",
            "model_type": f"write {self.needed} under it",
        }.get(kind, "write a value that fits")

    def _address_faults(self, entry: EntryT) -> list[str]:
        """What is wrong with where an entry is reached."""
        if entry.gateway is Gateway.DESK:
            return ["url: a desk is not called; remove the url or write gateway: http"] if entry.url else []
        if not entry.url:
            return [f"url: an http {self.one} needs one; add it or write gateway: desk"]
        if entry.url.startswith(self.placeholder):
            rest = entry.url.removeprefix(self.placeholder)
            bad = "{" in rest or not rest.strip("/") or not rest.startswith("/")
            remedy = f"write {self.placeholder}/{entry.code}"
            return [f"url: {self.placeholder} is followed by a path and no other placeholder; {remedy}"] if bad else []
        remedy = f"write http(s)://host/path or {self.placeholder}/path"
        if not entry.private and names_a_private_place(entry.url):
            return ["url: an address of a private network; write private: true under it if that is meant"]
        return [f"url: {fault}; {remedy}" for fault in url_faults(entry.url)]


def names_a_private_place(url: str) -> bool:
    """Whether an address says itself that it is not public; what a name leads to is looked at when it is called."""
    try:
        host = urlsplit(url).hostname or ""
        return host == "localhost" or not is_public(str(ip_address(host)))
    except ValueError:
        return False


def url_faults(url: str) -> list[str]:
    """What is wrong with an address of a system."""
    try:
        parts = urlsplit(url)
        usable = (
            parts.scheme in {"http", "https"} and parts.hostname is not None and (parts.port is None or parts.port > 0)
        )
    except ValueError:
        usable = False
    if not usable:
        return [f"{url!r} is not an address"]
    if parts.query or parts.fragment or parts.username or "{" in url:
        return [f"{parts.hostname!r} has a query, a fragment, an account or a placeholder in its address"]
    return []


def _dotted(location: tuple[int | str, ...]) -> str:
    return ".".join(str(part) for part in location) or "entry"


def _twice(entries: Iterable[Registered]) -> list[str]:
    entries = list(entries)
    return [
        f"{what} {value!r} stands twice; keep one"
        for what, values in (("code", [each.code for each in entries]), ("name.zh", [each.name.zh for each in entries]))
        for value, count in Counter(values).items()
        if count > 1
    ]
