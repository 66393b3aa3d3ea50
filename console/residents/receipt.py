"""回执: what somebody takes home who has reported something: number, code, and where to follow it, for the eye and for a phone."""

from dataclasses import dataclass
from urllib.parse import urlencode

import segno
from starlette.requests import Request

FOLLOW = "/follow"
NUMBER = "number"


@dataclass(frozen=True)
class Receipt:
    """Number and code. `address` and its picture lead to where the case is followed, with the number alone: never the code."""

    case_id: str
    code: str
    address: str
    picture: str

    @classmethod
    def of(cls, request: Request, case_id: str, code: str) -> "Receipt":
        """The receipt of a case, with an address of the site that the browser has asked."""
        site = f"{request.url.scheme}://{request.url.netloc}"
        address = f"{site}{FOLLOW}?{urlencode({NUMBER: case_id})}"
        picture = segno.make(address, error="m", micro=False).svg_data_uri(scale=4, border=2)
        return cls(case_id, code, address, picture)
