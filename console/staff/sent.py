"""Where somebody goes after what they sent was accepted: to the case, or, while it is on its way, to how far it has come."""

from http import HTTPStatus

from starlette.responses import Response

SUBMISSIONS = "/submissions"


def where_to(answer: Response, case_id: str) -> str:
    """After an answer of the API to what was sent: 202 names the submission."""
    if answer.status_code == HTTPStatus.ACCEPTED:
        return f"{SUBMISSIONS}/{answer.headers['location'].rpartition('/')[2]}"
    return f"/cases/{case_id}"
