"""Files of the town's rules, read whole: every fault is told with its file, its line and what to do about it."""

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from engine.policies.policies import PolicyFaults
from engine.runtime.yaml_files import read_yaml

Place = tuple[str, ...]
"""Where something stands in a file: the names and numbers that lead to it."""

_REMEDIES = {
    "missing": "add it",
    "extra_forbidden": "remove it or mend its spelling",
    "string_type": "write a text; quote a version or a code of digits",
    "string_pattern_mismatch": "write it in the form that it names",
    "string_too_short": "fill it in",
    "too_short": "write at least one",
    "model_type": "write the fields under it",
    "dict_type": "write the entries under it",
    "tuple_type": "write a list",
}


ModelT = TypeVar("ModelT", bound=BaseModel)


class PolicyFile:
    """One file of rules: its content, and the line of every place in it."""

    def __init__(self, file: Path) -> None:
        """Read it. Raises PolicyFaults: not there, not YAML, no rules in it."""
        self.file = file
        try:
            self.content = read_yaml(file)
            root = yaml.compose(file.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)
        except OSError as error:
            raise PolicyFaults([f"{file}: {error.strerror}; set JICENG_POLICIES to the folder that has it"]) from error
        except yaml.MarkedYAMLError as error:
            line = f":{error.problem_mark.line + 1}" if error.problem_mark else ""
            raise PolicyFaults([f"{file}{line}: not readable as YAML: {error.problem}; mend that line"]) from error
        except (yaml.YAMLError, UnicodeDecodeError) as error:
            raise PolicyFaults([f"{file}: not readable as YAML: {error}; save it as YAML in UTF-8"]) from error
        if not isinstance(self.content, dict):
            raise PolicyFaults([f"{file}:1: no rules; write version and the rules"])
        self._lines: dict[Place, int] = {}
        self._walk(root, ())

    def read(self, model: type[ModelT]) -> ModelT:
        """The rules as a model. Raises PolicyFaults with all that is wrong with the shape."""
        try:
            return model.model_validate(self.content)
        except ValidationError as error:
            raise PolicyFaults(
                [
                    self.fault([str(part) for part in fault["loc"]], fault["msg"], _remedy(fault["type"]))
                    for fault in error.errors(include_url=False, include_input=False)
                ]
            ) from None

    def fault(self, place: Sequence[str], what: str, remedy: str) -> str:
        """One fault, with the line of its place."""
        return f"{self.file}:{self.line(place)}: {'.'.join(place) or 'the file'}: {what}; {remedy}"

    def placed(self, fault: str) -> str:
        """A fault that a policy told as "place: what; remedy", with file and line."""
        return f"{self.file}:{self.line(fault.partition(': ')[0].split('.'))}: {fault}"

    def line(self, place: Sequence[str]) -> int:
        """The line of a place; of what it stands in, where the place itself is missing."""
        parts = tuple(place)
        while parts and parts not in self._lines:
            parts = parts[:-1]
        return self._lines.get(parts, 1)

    def _walk(self, node: yaml.Node | None, place: Place) -> None:
        if isinstance(node, yaml.MappingNode):
            for key, value in node.value:
                inner = (*place, str(key.value))
                self._lines[inner] = key.start_mark.line + 1
                self._walk(value, inner)
        elif isinstance(node, yaml.SequenceNode):
            for number, value in enumerate(node.value):
                inner = (*place, str(number))
                self._lines[inner] = value.start_mark.line + 1
                self._walk(value, inner)


def read_rules(file: Path, model: type[ModelT], faults: Callable[[ModelT], Iterable[str]]) -> ModelT:
    """Read a file of rules that needs nothing but itself; `faults` says "place: what; remedy" of what is well formed.

    Raises PolicyFaults with everything that is wrong with it.
    """
    rules = PolicyFile(file)
    policy = rules.read(model)
    if found := [rules.placed(fault) for fault in faults(policy)]:
        raise PolicyFaults(found)
    return policy


def _remedy(kind: str) -> str:
    return _REMEDIES.get(kind, "write a value that fits")
