"""What a person can mend: a fault whose words are for whoever runs the town, and hold nothing of anybody's."""


class OperatorError(Exception):
    """Says what is the matter and what to do. A command of the terminal prints it instead of dying of it."""
