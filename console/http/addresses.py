"""Addresses that came from elsewhere, and may only lead to pages of this site."""

from urllib.parse import urlsplit


def is_here(address: str) -> bool:
    """An address of this site and nothing else: a browser takes one that begins with two slashes for another site's."""
    parts = urlsplit(address)
    return (
        address.startswith("/")
        and not parts.netloc
        and not parts.scheme
        and address[1:2] not in {"/", "\\"}
        and (address.isprintable())
    )
