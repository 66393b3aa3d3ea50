"""What a file is called that was sent with a form before: its facts travel in the form."""

import json
from typing import Any


def file_words(text: str) -> str:
    """What a file that was sent already is called on the form: its type and size."""
    try:
        document: Any = json.loads(text)
        return f"{document['media_type']}, {max(1, int(document['size_bytes']) // 1024)} kB"
    except (ValueError, TypeError, KeyError, RecursionError):
        return "?"
