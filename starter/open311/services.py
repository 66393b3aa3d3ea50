"""What can be reported: the matters of every procedure whose declaration says that residents report by it."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from schemas.kernel.declaration import DeclaredProcedure
from schemas.kernel.openings import Opens
from schemas.kernel.procedure import Procedure
from schemas.kernel.reports import ReportFields
from schemas.values.actor import Role
from schemas.values.tidy_text import tidy
from starter.intake.town_rules import TownRules
from starter.open311.forms import Row


@dataclass(frozen=True)
class Service:
    """A matter, as the policy of its procedure writes it: that is its `service_code`."""

    code: str
    procedure: Procedure
    fields: ReportFields
    keywords: tuple[str, ...]

    def row(self) -> Row:
        """As GeoReport lists it."""
        return {
            "service_code": self.code,
            "service_name": self.code,
            "description": f"{self.procedure.title} · {self.code}",
            "metadata": False,
            "type": "realtime",
            "keywords": ", ".join(self.keywords),
            "group": self.procedure.title,
        }


def services_of(town: TownRules) -> Mapping[str, Service]:
    """The services by the form in which their codes are compared, in the order of the lists."""
    found: dict[str, Service] = {}
    for procedure, _, fields in reported_by(town.procedures.values()):
        for matter in town.policies[procedure.name].searched():
            service = Service(matter, procedure, fields, town.synonyms.get(matter, ()))
            found.setdefault(tidy(matter), service)
    return found


def reporters_of(procedures: Iterable[Procedure]) -> frozenset[Role]:
    """Who may report by any of these."""
    return frozenset(role for _, opens, _ in reported_by(procedures) for role in opens.by)


def reported_by(procedures: Iterable[Procedure]) -> Iterator[tuple[Procedure, Opens, ReportFields]]:
    """The procedures that residents report by, how each is opened and how a report becomes its body."""
    for procedure in procedures:
        opens = procedure.opens if isinstance(procedure, DeclaredProcedure) else None
        if opens is not None and opens.reported is not None:
            yield procedure, opens, opens.reported
