"""The procedures of the town, one line each.

Only worker, API, audit and tests import this: inside the sandbox it would load every procedure for every case.
"""

from typing import Any

from schemas.kernel.screen_words import ScreenWords, words_of
from workflows.incident import Incident
from workflows.kernel.case import Case
from workflows.recovery import Recovery
from workflows.summons import Summons
from workflows.welfare import Welfare
from workflows.whistle import Whistle

PROCEDURES: tuple[type[Case[Any]], ...] = (Incident, Whistle, Summons, Welfare, Recovery)

WORDS: ScreenWords = words_of(*(case.procedure for case in PROCEDURES))
"""What their codes are called on screens that show cases of all of them."""
