"""Reads policies/webhooks.yaml; every fault in it is told at once: file, line, remedy."""

from collections.abc import Iterable
from pathlib import Path

from engine.policies.policies import PolicyFaults
from engine.policies.policy_files import PolicyFile
from engine.policies.registers import names_a_private_place, url_faults
from schemas.contracts.webhook import WebhookRegister
from schemas.kernel.procedure import Procedure
from schemas.words.entry_titles import OF_EVERY_CASE

FILE = "webhooks.yaml"


def load_webhooks(folder: Path, procedures: Iterable[Procedure] = ()) -> WebhookRegister:
    """The subscriptions of a town; none where it has no such file. Raises PolicyFaults.

    `procedures`: all of the town's, so that a name or a kind that none of them has is told; without them that is not asked.
    Of a confidential one nobody else is told.
    """
    if not (folder / FILE).exists():
        return WebhookRegister()
    rules = PolicyFile(folder / FILE)
    register = rules.read(WebhookRegister)
    kinds = {each.name: {*each.titles, *OF_EVERY_CASE} for each in procedures if not each.confidential}
    faults = [rules.fault(*finding) for finding in register.faults(kinds)]
    for number, each in enumerate(register.webhooks):
        place = ("webhooks", str(number), "url")
        faults += [rules.fault(place, fault, "write https://host/path") for fault in url_faults(each.url)]
        if not each.private and names_a_private_place(each.url):
            faults.append(
                rules.fault(place, "an address of a private network", "write private: true under it if that is meant")
            )
        elif not each.private and each.url.startswith("http:"):
            faults.append(rules.fault(place, "anybody on the way could read what is told", "write https://host/path"))
    if faults:
        raise PolicyFaults(faults)
    return register
