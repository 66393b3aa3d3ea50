"""The search attributes of a case in Temporal: plain text for ever, so codes only. At most ten keywords, three datetimes."""

STAGE = "JicengStage"
DEPARTMENT = "JicengDepartment"
HOLDER = "JicengHolder"
AREA = "JicengArea"

SEARCH_ATTRIBUTES = {STAGE: "Keyword", DEPARTMENT: "Keyword", HOLDER: "Keyword", AREA: "Keyword"}
