"""Papers of the town: their words, and what was made of them as PDF."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated

from starlette.requests import Request
from starlette.responses import Response

from console.http.look import look_of
from console.http.pages import HEADERS
from console.papers.press import Press
from engine.policies.paper_policy import load_papers
from engine.runtime.settings import Settings
from schemas.contracts.paper import Paper
from starter.http.dependencies import dependency

AS_PDF = "pdf"


@dataclass(frozen=True)
class Papers:
    """Built once. `kept`: PDF of what is the same for everybody, by its name and language, made when it is first asked for."""

    kinds: Mapping[str, Paper]
    press: Press
    kept: dict[str, bytes] = field(default_factory=dict)

    @classmethod
    def of(cls, settings: Settings) -> "Papers":
        """The papers of policies/papers/. Raises PolicyFaults."""
        return cls(load_papers(settings.policies), Press.installed())

    async def answer(self, request: Request, shown: Response, name: str, *, is_everybodys: bool = False) -> Response:
        """A page of paper as it is asked for: as shown, or with `?as=pdf` as a file of this name.

        `is_everybodys`: nothing in it is a case's, so it is made once. Raises Problem as `Press.pdf_of`.
        """
        if request.query_params.get("as") != AS_PDF:
            return shown
        kept_as = f"{name}.{look_of(request).language}"
        made = self.kept.get(kept_as) or await self.press.pdf_of(bytes(shown.body))
        if is_everybodys:
            self.kept[kept_as] = made
        headers = HEADERS | {"Content-Disposition": f'attachment; filename="{name}.pdf"'}
        return Response(made, headers=headers, media_type="application/pdf")


PapersOf = Annotated[Papers, dependency(Papers)]
