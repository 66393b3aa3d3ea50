"""What a new case and a command are taken in with."""

from dataclasses import dataclass
from typing import Annotated

from engine.vault.vault import Vault
from starter.cases.case_reading import CaseReader
from starter.cases.dispatch_help import DispatchHelp
from starter.cases.documents import Attachments
from starter.http.dependencies import dependency
from starter.intake.answers import Answering
from starter.intake.intake import Intake
from starter.intake.relay import Relay
from starter.intake.town_rules import TownRules


@dataclass(frozen=True)
class Filing:
    """Built once: the town's rules judge what is sent, intake keeps it, the relay delivers it, `answering` says what came of it.

    `dispatch_help` proposes what a report may be about.
    """

    town: TownRules
    vault: Vault
    reader: CaseReader
    attachments: Attachments
    intake: Intake
    relay: Relay
    answering: Answering
    dispatch_help: DispatchHelp


FilingOf = Annotated[Filing, dependency(Filing)]
