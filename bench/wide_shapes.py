"""The wide shapes: a whistle that calls five departments, an application for a benefit with six checks."""

from bench.shape import Body, Person, Shape, Step
from schemas.values.actor import Role
from schemas.values.identity_number import check_character

FIVE = ("urban-management", "justice-office", "emergency-management", "ecology-environment", "transport")
LEAD = FIVE[0]
SIX = ("tax", "social-insurance", "property", "vehicles", "bank-balance", "civil-affairs")

_WHISTLE: Body = {
    "type": "demand",
    "matter": "夜市占道经营,油烟扰民,多次劝导无效",
    "location": {"address": "平安街夜市", "lat": 32.06, "lon": 118.79},
    "departments": FIVE,
    "lead": LEAD,
}

WHISTLE = Shape(
    name="whistle",
    path="/api/v1/whistles",
    reporter="street officer",
    report=lambda _: _WHISTLE,
    people={
        "street officer": Person("street-bench", Role.STREET_OFFICER),
        **{code: Person(f"officer-{code}", Role.DEPARTMENT_OFFICER, code) for code in FIVE},
    },
    steps=(
        *(Step("arrive", code, {}, part=code, after="stands") for code in FIVE),
        Step("begin_work", LEAD, {}, after="gathered"),
        *(Step("finish", code, {"result": "已取缔占道摊位"}, part=code) for code in FIVE),
        Step("score", "street officer", {"department": LEAD, "score": 90}, after="settled"),
        *(Step("score", "street officer", {"department": code, "score": 90}) for code in FIVE[1:]),
    ),
    asked=FIVE,
    parts=FIVE,
)
"""From the call to the last score, with which it closes."""


def identity_number(number: int) -> str:
    """Another one for each number up to thirty thousand: made up, of somebody born on a June day of the thirties to the fifties."""
    thousands, order = divmod(number, 1000)
    digits = f"320104{1930 + thousands % 30}0615{order:03d}"
    return digits + check_character(digits)


def _application(number: int) -> Body:
    return {
        "benefit": "subsistence-allowance",
        "applicant": {"name": "何秀英", "identity_number": identity_number(number), "phone": "13912345678"},
        "monthly_income_fen": 60000,
        "area": "320104.003.01",
        "address": "幸福小区3号楼201室",
        "account": "6222020000000000017",
        "reason": "年事已高,生活困难",
        "consent": True,
    }


WELFARE = Shape(
    name="welfare",
    path="/api/v1/welfare-applications",
    reporter="resident",
    report=_application,
    people={
        "resident": Person("resident-bench", Role.RESIDENT),
        "street officer": Person("street-bench", Role.STREET_OFFICER),
        "grid worker": Person("grid-bench", Role.GRID_WORKER),
    },
    steps=(
        Step("accept", "street officer", {}),
        Step("record_visit", "grid worker", {"finding": "家中两居室,独居,无贵重物品"}),
        Step("record_visit", "street officer", {"finding": "与申请所述一致"}),
        Step("review", "street officer", {"positive": True, "opinion": "符合条件"}, after="surveyed"),
    ),
    asked=SIX,
    papers=("identity-card", "household-register", "income-statement"),
)
"""From the application to the posting, which takes days: somebody older than sixty, so that civil affairs is asked too."""
