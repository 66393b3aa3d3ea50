"""The questions about cases."""

from engine.store.database import Queries


class CaseQueries(Queries):
    """engine/queries/cases.sql."""

    find_case: str
    start_of_case: str
    plan_for_what_is_asked: str
    matching: str
    numbers_with_part: str
    numbers_with_signs: str
    numbers_with_beginning: str
    page_by_opening: str
    page_by_due: str
    count_matching: str
    count_by_due: str
    count_some_matching: str
    overdue_work: str
    entries_after: str
    entries_naming: str
    similar: str
    hot_spot_reports: str
    weak_point_counts: str
    alike_in_public: str
    precedents: str
    reported_alike: str
    indicators: str
    procedure_indicators: str
    whistle_indicators: str


SQL = CaseQueries.load("cases")
