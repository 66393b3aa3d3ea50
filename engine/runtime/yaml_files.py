"""Reading YAML that people write."""

from collections.abc import Hashable
from pathlib import Path
from typing import Any

import yaml
from yaml import CSafeLoader  # by libyaml: every process of a town reads all rules when it starts


class NoKeyTwiceLoader(CSafeLoader):
    """YAML keeps the last of two equal keys without a word; a town's rules must not lose one like that."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:  # noqa: FBT001, FBT002 - PyYAML's signature
        """Build a mapping. Raises ConstructorError, with the line, for a key that stands twice."""
        seen: set[Any] = set()
        for key_node, _ in node.value:
            key = self.construct_object(key_node, deep=True)
            if key in seen:
                raise yaml.constructor.ConstructorError(None, None, f"{str(key)!r} stands twice", key_node.start_mark)
            seen.add(key)
        return super().construct_mapping(node, deep=deep)


def read_yaml(file: Path) -> Any:
    """Return what a file says. Raises OSError, UnicodeDecodeError, yaml.YAMLError."""
    return yaml.load(file.read_text(encoding="utf-8"), Loader=NoKeyTwiceLoader)  # noqa: S506 - a SafeLoader
