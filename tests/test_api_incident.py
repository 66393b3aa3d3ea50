"""Reporting an incident, through the public door."""

from api_callers import As

pytest_plugins = ("api_fixture",)


async def test_a_report_becomes_a_case(as_: As) -> None:
    """A report is answered with the case that stands: number, stage and clocks."""
    answer = await as_().report()

    assert answer.status_code == 201, answer.text
    case = answer.json()
    assert case["stage"] == "dispatched"
    assert case["department"] == "urban-management"
