"""The keys that a town shares with others, made when it is founded; those that exist stay."""

from engine.keys.counterpart_keys import Counterpart, found_counterpart_keys
from engine.policies.ballot_box_policy import FILE as BALLOT_BOX
from engine.policies.ballot_box_policy import load_ballot_box
from engine.policies.bank_policy import load_bank
from engine.policies.call_gateway_policy import FILE as CALL_GATEWAY
from engine.policies.call_gateway_policy import load_call_gateway
from engine.policies.department_policy import load_departments
from engine.policies.open311_policy import load_open311
from engine.policies.source_policy import load_sources
from engine.policies.webhook_policy import load_webhooks
from engine.runtime.settings import Settings


def found_keys_of_others(settings: Settings) -> None:
    """One key for each of those in the policies: departments, bank, webhooks and the rest. Raises the faults of their files."""
    departments = load_departments(settings.policies / "departments.yaml", settings.departments_url).departments
    sources = load_sources(settings.policies / "sources.yaml", settings.sources_url).sources
    bank = load_bank(settings.policies / "banks.yaml", settings.bank_url)
    box = load_ballot_box(settings.policies / BALLOT_BOX, settings.ballot_box_url)
    calls = load_call_gateway(settings.policies / CALL_GATEWAY, settings.call_gateway_url)
    for kind, codes in (
        (Counterpart.DEPARTMENT, [each.code for each in departments]),
        (Counterpart.SOURCE, [each.code for each in sources]),
        (Counterpart.BANK, [bank.code]),
        (Counterpart.BALLOT_BOX, [box.code]),
        (Counterpart.CALL_GATEWAY, [calls.code]),
        (Counterpart.OPEN311, [each.code for each in load_open311(settings.policies).clients]),
        (Counterpart.WEBHOOK, [each.code for each in load_webhooks(settings.policies).webhooks]),
    ):
        found_counterpart_keys(settings.key_folder, codes, kind)
