"""What every page knows of the town's console: what is served by this process, and how people sign in."""

from dataclasses import dataclass
from typing import Annotated

from engine.policies.site_policy import load_site_policy
from engine.runtime.settings import Settings
from schemas.contracts.site_policy import SitePolicy
from starter.http.dependencies import dependency


@dataclass(frozen=True)
class Site:
    """Built once. `demo_sign_in`: whoever sits at this machine signs in as anybody; never in a town with an issuer of its own.

    `policy`: whose pages they are. `local`: the town signs its own tokens, so it is one on this machine, and reached without
    https.
    """

    serves: frozenset[str]
    local: bool
    demo_sign_in: bool
    policy: SitePolicy

    @classmethod
    def of(cls, settings: Settings) -> "Site":
        """The site that the settings ask for. Raises PolicyFaults: policies/site.yaml says nothing, or something wrong."""
        local = settings.local_issuer and settings.token_jwks is None
        return cls(
            serves=settings.serves,
            local=local,
            demo_sign_in=local and settings.demo_sign_in,
            policy=load_site_policy(settings.policies),
        )


SiteOf = Annotated[Site, dependency(Site)]
