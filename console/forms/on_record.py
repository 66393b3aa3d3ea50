"""What somebody tried by a form and may not do: kept as at the API, though the form is drawn again and no problem is answered."""

from starlette.requests import Request
from starlette.responses import Response

from schemas.values.actor import Actor
from starter.http.problems import Problem
from starter.intake.command_batch import keeping_attempts
from starter.intake.filing import Filing


def on_record(drawn: Response, request: Request, filing: Filing, actor: Actor, problem: Problem) -> Response:
    """The form that is drawn for a problem; the attempt, where it is one, is kept after the answer."""
    tried = f"{request.method} {getattr(request.scope.get('route'), 'path', '')}"
    drawn.background = keeping_attempts(filing, actor, tried, [problem])
    return drawn
