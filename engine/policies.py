"""Reads policies/incident.yaml into an IncidentPolicy; every fault in it is told at once: file, place, remedy."""

from collections.abc import Hashable, Iterator, Sequence
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from schemas.incident import IncidentPolicy, Urgency

FILE = "incident.yaml"
_REMEDIES = {
    "missing": "add it",
    "extra_forbidden": "remove it or mend its spelling",
    "enum": "write emergency, urgent, ordinary or complex",
    "string_type": "write a text; a version is quoted",
    "model_type": "write the fields under it",
    "dict_type": "write the entries under it",
}


class PolicyFaults(ValueError):
    """The town's rules cannot be used as they stand. `faults` says, one by one, where and what to do."""

    def __init__(self, faults: list[str]) -> None:
        super().__init__("\n".join(faults))
        self.faults = faults


class _NoKeyTwice(yaml.SafeLoader):
    """YAML keeps the last of two equal keys without a word; a town's rules must not lose one like that."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:  # noqa: FBT001, FBT002 - PyYAML's signature
        seen: set[Any] = set()
        for key_node, _ in node.value:
            key = self.construct_object(key_node, deep=True)
            if key in seen:
                raise yaml.constructor.ConstructorError(None, None, f"{key!r} stands twice", key_node.start_mark)
            seen.add(key)
        return super().construct_mapping(node, deep=deep)


def load_incident_policy(folder: Path, departments: Sequence[str]) -> IncidentPolicy:
    """The town's rules for incidents. `departments` are the codes of policies/departments.yaml.

    Raises PolicyFaults: no such file, not YAML, fields missing or wrong, a department or an urgency that is not there.
    """
    file = folder / FILE
    content = _content(file)
    terms = content.get("terms")
    faults: list[str] = []
    if isinstance(terms, dict):
        if terms.get("departments"):
            faults.append(
                f"{file}: terms.departments: is not empty; leave it empty, departments.yaml says who there is"
            )
        content = {**content, "terms": {**terms, "departments": tuple(departments)}}
    try:
        policy = IncidentPolicy.model_validate(content)
    except ValidationError as error:
        raise PolicyFaults([*faults, *_shape_faults(file, error)]) from None
    faults.extend(f"{file}: {fault}" for fault in _sense_faults(policy, departments))
    if faults:
        raise PolicyFaults(faults)
    return policy


def _content(file: Path) -> dict[str, Any]:
    try:
        content = yaml.load(file.read_text(encoding="utf-8"), Loader=_NoKeyTwice)  # noqa: S506 - a SafeLoader
    except OSError as error:
        raise PolicyFaults([f"{file}: {error.strerror}; set JICENG_POLICIES to the folder that has it"]) from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise PolicyFaults([f"{file}: not readable as YAML: {error}; mend the line it names"]) from error
    if not isinstance(content, dict):
        raise PolicyFaults([f"{file}: no rules; write version, terms and categories"])
    return content


def _shape_faults(file: Path, error: ValidationError) -> Iterator[str]:
    for fault in error.errors(include_url=False):
        place = ".".join(str(part) for part in fault["loc"]) or "the file"
        yield f"{file}: {place}: {fault['msg']}; {_REMEDIES.get(fault['type'], 'write a value that fits')}"


def _sense_faults(policy: IncidentPolicy, departments: Sequence[str]) -> Iterator[str]:
    """What is wrong although each field is well formed."""
    known = set(departments)
    if policy.terms.fallback_department not in known:
        yield f"terms.fallback_department: {policy.terms.fallback_department!r} {_NOT_A_DEPARTMENT}"
    for category, responsibility in policy.categories.items():
        if responsibility.department not in known:
            yield f"categories.{category}.department: {responsibility.department!r} {_NOT_A_DEPARTMENT}"
        if not responsibility.legal_basis.strip():
            yield f"categories.{category}.legal_basis: is blank; name the law"
        if not category.strip():
            yield "categories: one has no name; name it"
    if not policy.version.strip():
        yield "version: is blank; count it up with every change"
    for urgency in Urgency:
        if urgency not in policy.terms.urgencies:
            yield f"terms.urgencies.{urgency}: is missing; write respond and finish"


_NOT_A_DEPARTMENT = "is no department of departments.yaml; mend the code or add the department there"
