"""docker-compose.yml as the rehearsal takes it: what it says of a service, with other ports and paths, and nothing else changed.

So what is rehearsed is the file: a variable that is wrong there is wrong here.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from pathlib import Path
from typing import Any

import yaml

from engine.runtime.operator_error import OperatorError
from engine.runtime.settings import PROJECT

FILE = PROJECT / "docker-compose.yml"
SERVER_IMAGE = "temporalio/server"
SECRETS = "./secrets/"
_FROM_OUTSIDE = re.compile(r"\$\{")


class ComposeFault(OperatorError):
    """The file lacks something that the rehearsal needs, or says what the rehearsal does not know."""


@dataclass(frozen=True)
class Compose:
    """The services of a file."""

    file: Path = FILE

    @cached_property
    def services(self) -> Mapping[str, Mapping[str, Any]]:
        """By name."""
        read: dict[str, dict[str, dict[str, Any]]] = yaml.safe_load(self.file.read_text(encoding="utf-8"))
        return read["services"]

    @property
    def temporal_version(self) -> str:
        """Of the server that the file runs, such as 1.32.0. Raises ComposeFault: its image names none."""
        image, _, version = str(self.services["temporal"]["image"]).partition(":")
        if image != SERVER_IMAGE or not version:
            raise ComposeFault(f"{self.file.name}: the service temporal has no image {SERVER_IMAGE}:VERSION.")
        return version

    def environment(self, service: str, instead: Mapping[str, str]) -> dict[str, str]:
        """The variables of a service, those of `instead` in the place of its own.

        Raises:
            ComposeFault: the file has no variable that is to be replaced, or takes one from outside that is not.
        """
        said = {name: str(value) for name, value in self.services[service].get("environment", {}).items()}
        if unknown := sorted(set(instead) - set(said)):
            raise ComposeFault(f"{self.file.name}: the service {service} has no {', '.join(unknown)} to be replaced.")
        whole = said | dict(instead)
        if asked := sorted(name for name, value in whole.items() if _FROM_OUTSIDE.search(value)):
            raise ComposeFault(
                f"{self.file.name}: {service} takes {', '.join(asked)} from outside: say what it is here."
            )
        return whole

    def place_of(self, service: str, path: str, secrets: Path) -> Path:
        """Where a file that a container sees at this path lies in the folder of the secrets, which it gets by a mount.

        Raises:
            ComposeFault: no folder of the secrets is mounted there.
        """
        for mount in self.services[service].get("volumes", ()):
            source, _, target = str(mount).removesuffix(":ro").partition(":")
            if source.startswith(SECRETS) and Path(path).is_relative_to(target):
                return secrets / source.removeprefix(SECRETS) / Path(path).relative_to(target)
        raise ComposeFault(f"{self.file.name}: the service {service} has no folder of {SECRETS} where {path} lies.")

    def postgres_options(self, service: str) -> dict[str, str]:
        """What the file says to a Postgres by `-c name=value`."""
        words = list(self.services[service].get("command", ()))
        said = [after for word, after in pairwise(words) if word == "-c"]
        return dict(each.split("=", 1) for each in said)
