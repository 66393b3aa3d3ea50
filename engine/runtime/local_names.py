"""Names by which parts of a town on one machine reach each other; without imports, for whoever only watches a town."""

THIS_MACHINE = "127.0.0.1,localhost,[::1]"
"""What a machine calls itself, as the setting `hosts` has it."""

CODEC_PATH = "/codec"
"""Below which the API decodes payloads for Temporal's UI."""
