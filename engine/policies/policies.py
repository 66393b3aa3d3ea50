"""Reads policies/NAME.yaml into the policy of a procedure; every fault in it is told at once: file, place, remedy."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from engine.runtime.operator_error import OperatorError
from engine.runtime.yaml_files import read_yaml
from schemas.kernel.policy import Policy
from schemas.kernel.procedure import Procedure

_REMEDIES = {
    "missing": "add it",
    "extra_forbidden": "remove it or mend its spelling",
    "enum": "write one of the words it names",
    "string_type": "write a text; a version is quoted",
    "model_type": "write the fields under it",
    "dict_type": "write the entries under it",
}


class PolicyFaults(OperatorError, ValueError):
    """The town's rules cannot be used as they stand. `faults` says, one by one, where and what to do."""

    def __init__(self, faults: list[str]) -> None:
        super().__init__("\n".join(faults))
        self.faults = faults


def load_policy(procedure: Procedure, folder: Path, departments: Sequence[str]) -> Policy:
    """Return the town's rules for a procedure. `departments` are the codes of policies/departments.yaml.

    Raises PolicyFaults: no such file, not YAML, fields missing or wrong, a department that is not there.
    """
    return load_policy_file(procedure, folder / f"{procedure.name}.yaml", departments)


def load_policy_file(procedure: Procedure, file: Path, departments: Sequence[str]) -> Policy:
    """As `load_policy`, from a file of any name. Raises PolicyFaults, and TypeError: the procedure goes by its parent's policy."""
    if procedure.policy is None:
        raise TypeError(f"{procedure.name} goes by the policy of {procedure.parent}")
    content = _content(file)
    faults: list[str] = []
    if content.get("departments"):
        faults.append(f"{file}: departments: leave it out, departments.yaml says who there is")
    try:
        policy = procedure.policy.model_validate({**content, "departments": tuple(departments)})
    except ValidationError as error:
        raise PolicyFaults([*faults, *_shape_faults(file, error)]) from None
    faults.extend(f"{file}: {fault}" for fault in policy.faults())
    if faults:
        raise PolicyFaults(faults)
    return policy


def _content(file: Path) -> dict[str, Any]:
    try:
        content = read_yaml(file)
    except OSError as error:
        raise PolicyFaults([f"{file}: {error.strerror}; set JICENG_POLICIES to the folder that has it"]) from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise PolicyFaults([f"{file}: not readable as YAML: {error}; mend the line it names"]) from error
    if not isinstance(content, dict):
        raise PolicyFaults([f"{file}: no rules; write version and the rules"])
    return content


def _shape_faults(file: Path, error: ValidationError) -> Iterator[str]:
    for fault in error.errors(include_url=False):
        place = ".".join(str(part) for part in fault["loc"]) or "the file"
        yield f"{file}: {place}: {fault['msg']}; {_REMEDIES.get(fault['type'], 'write a value that fits')}"
