"""GET /api/v1/categories?q=垃圾: the responsibility list for people who know no category."""

from collections.abc import Mapping
from typing import Annotated

from fastapi import APIRouter, Query

from schemas.contracts.department_policy import DepartmentRegister
from schemas.incident import INCIDENT
from schemas.incident_policy import IncidentPolicy
from schemas.values.tidy_text import is_blank
from starter.cases.views import Categories, CategoryFound
from starter.http.authentication import Caller
from starter.http.documentation import SIGNED_IN, responses
from starter.intake.category_search import Found, Known, search
from starter.intake.town_rules import TownRules, TownRulesOf

router = APIRouter(prefix="/api/v1/categories", tags=["incidents"])


@router.get(
    "",
    summary="权责清单查询 Find a category by words",
    responses=responses({200: Categories}, *SIGNED_IN, "bad-request"),
)
async def find_categories(
    _: Caller,
    town: TownRulesOf,
    q: Annotated[str, Query(max_length=200, description="words of the matter; none: the whole list")] = "",
    limit: Annotated[int, Query(ge=1, le=1000)] = 10,
) -> Categories:
    """Searched are the names, what people call it (policies/synonyms.yaml), the department and the law; the best first."""
    policy = _policy(town)
    known = known_categories(policy, town.departments, town.synonyms)
    whole_list = [Found(each.category, 0, ()) for each in known]
    found = whole_list if is_blank(q) else search(known, q)
    items = [_shown(town, policy, each) for each in found[:limit]]
    return Categories(items=items, otherwise=policy.terms.fallback_department)


def known_categories(
    policy: IncidentPolicy, departments: DepartmentRegister, synonyms: Mapping[str, tuple[str, ...]]
) -> list[Known]:
    """Every line of the list with the words that lead to it."""
    names = {each.code: (each.name.zh, each.name.en) for each in departments.departments}
    return [
        Known(
            category,
            {
                "name": (category,),
                "synonym": synonyms.get(category, ()),
                "department": names.get(line.department, ()),
                "legal_basis": (line.legal_basis,),
            },
        )
        for category, line in policy.categories.items()
    ]


def _shown(town: TownRules, policy: IncidentPolicy, found: Found) -> CategoryFound:
    line = policy.categories[found.category]
    name = town.departments.get(line.department).name
    return CategoryFound(
        category=found.category,
        department=line.department,
        department_zh=name.zh,
        department_en=name.en,
        urgency=line.urgency,
        legal_basis=line.legal_basis,
        score=found.score,
        because=list(found.because),
    )


def _policy(town: TownRules) -> IncidentPolicy:
    policy = town.policies[INCIDENT.name]
    assert isinstance(policy, IncidentPolicy)  # noqa: S101 - the procedure says which policy is its own
    return policy
