"""The procedures of the town, one line each.

Only worker, API, audit and tests import this: inside the sandbox it would load every procedure for every case.
"""

from typing import Any

from workflows.case import Case
from workflows.incident import Incident

PROCEDURES: tuple[type[Case[Any]], ...] = (Incident,)
