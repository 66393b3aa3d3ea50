"""How halls go: as their walks say (local/hall_walks.py), by a clock by which a year is soon over."""

from schemas.hall import HALL
from tests.told_examples import told_examples

_told = told_examples(HALL)
PEOPLE, REPORTER, REPORT, BODIES = _told.PEOPLE, _told.REPORTER, _told.REPORT, _told.BODIES
MAIN, WALKS, NOBODY_ANSWERS = _told.MAIN, _told.WALKS, _told.NOBODY_ANSWERS
ASKS_OUTSIDE, EXPLAINED, prepared, shape = _told.ASKS_OUTSIDE, _told.EXPLAINED, _told.prepared, _told.shape
SPEED = 2_000_000
"""A year in a quarter of a minute."""
