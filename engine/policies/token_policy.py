"""Reads policies/tokens.yaml: what the issuer's words for roles mean in this town."""

from collections.abc import Mapping
from pathlib import Path

import yaml

from engine.policies.policies import PolicyFaults
from engine.runtime.yaml_files import read_yaml
from schemas.values.actor import Role

FILE = "tokens.yaml"
OWN = {role.value: role for role in Role if role is not Role.ENGINE}
"""What the words mean where nothing is said: they are ours."""


def load_roles(policies: Path) -> Mapping[str, Role]:
    """Word of the issuer -> role. Without the file, or with none in it, the issuer writes our own codes. Raises PolicyFaults."""
    return read_roles(policies / FILE)


def read_roles(file: Path) -> Mapping[str, Role]:
    """As `load_roles`, from the file itself. Raises PolicyFaults."""
    try:
        content = read_yaml(file)
    except FileNotFoundError:
        return OWN
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise PolicyFaults([f"{file}: not readable as YAML: {error}; mend the line it names"]) from error
    written = content.get("roles") if isinstance(content, dict) and set(content) == {"roles"} else None
    if not isinstance(written, dict):
        raise PolicyFaults([f"{file}: roles: one mapping and nothing else; write roles: {{}} when the words are ours"])
    faults = [
        f"{file}: roles.{word}: {role!r} is no role of people; write one of {', '.join(OWN)}"
        for word, role in written.items()
        if not isinstance(word, str) or str(role) not in OWN
    ]
    if faults:
        raise PolicyFaults(faults)
    return {str(word): OWN[str(role)] for word, role in written.items()} or OWN
