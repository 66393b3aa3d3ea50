"""A picture that can be drawn, for people who are played and hand documents in: what stands behind its end makes it another one."""

from base64 import b64decode

PICTURE = b64decode("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==")
"""One pixel, as PNG."""
