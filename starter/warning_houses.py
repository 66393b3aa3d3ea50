"""Where the households of the town's lists live: a file of the town that is no policy, read by the API alone.

The lists of risk points (policies/warning.yaml) name households by codes, and nobody by an address. `KEYS/houses.yaml`, of mode
0600 as the keys beside it, says where each code is. When a warning begins, the addresses of its places go into the vault, under
that case; what the case keeps and tells its teams are references.
"""

from collections.abc import Mapping
from typing import Annotated

import yaml
from pydantic import Field, TypeAdapter, ValidationError

from engine.keys.key_files import require_private
from engine.policies.policies import PolicyFaults
from engine.runtime.settings import Settings
from engine.runtime.yaml_files import read_yaml
from schemas.parts.items import ItemCode
from schemas.values.free_text import FreeText
from schemas.warning_state import WarningState
from starter.http.database import Connection
from starter.intake.filing import Filing

FILE = "houses.yaml"
_HOUSES = TypeAdapter(dict[ItemCode, Annotated[FreeText, Field(min_length=1, max_length=200)]])


def load_houses(settings: Settings) -> Mapping[str, str]:
    """Where each household lives, by code; empty: the town has no such file.

    Raises KeyFileExposed: others can read it; PolicyFaults: it is not readable. No fault tells anything that stands in it.
    """
    file = settings.key_folder / FILE
    if not file.exists():
        return {}
    require_private(file)
    try:
        return _HOUSES.validate_python(read_yaml(file))
    except yaml.YAMLError:
        raise PolicyFaults([f"{file}: not readable as YAML; write a code and an address on each line"]) from None
    except ValidationError as error:
        raise PolicyFaults([f"{file}: {error.error_count()} lines are no code with an address; mend them"]) from None


async def with_addresses(filing: Filing, connection: Connection, state: WarningState) -> WarningState:
    """The warning with the addresses of its places in the vault, kept for this case alone."""
    houses = filing.town.houses
    homes = [each for point in state.points.values() for each in point.households if each.code in houses]
    if not homes:
        return state
    texts = {f"address_{number}": houses[each.code] for number, each in enumerate(homes, 1)}
    kept = await filing.vault.keep(connection, None, texts, case_id=state.case_id)
    for number, each in enumerate(homes, 1):
        each.address = kept.texts[f"address_{number}"]
    return state
