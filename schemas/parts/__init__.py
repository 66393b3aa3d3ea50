"""Parts that procedures are composed of: lines for the table, what a case remembers, entries, and what must fit."""
