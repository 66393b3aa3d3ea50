"""Scenes that only incidents have: a second report of the same matter, and a resident with number and code."""

from dataclasses import dataclass

from local.simulation.townspeople import COORDINATOR
from local.stories.scenes import SETTLE_SECONDS, NotAsTold, OnStage
from schemas.incident import Kind


@dataclass(frozen=True)
class FollowsByCode:
    """Without an account, by number and code: looks at the case whenever something has happened, to its end."""

    async def play(self, stage: OnStage) -> None:
        """Look at once, after every entry, and when the case is over."""
        nobody = stage.client(COORDINATOR)  # `follow` sends no token, whoever's client it is
        stage.glimpsed(await nobody.follow(stage.case_id, stage.code))
        entries = 0
        while not stage.over:
            entries = await stage.more(entries)
            stage.glimpsed(await nobody.follow(stage.case_id, stage.code))


@dataclass(frozen=True)
class IsMerged:
    """The matter is reported a second time; the API proposes the first report, and the coordinator merges.

    Who reported the second follows with their own number and code, until the first is over.
    """

    after: str

    async def play(self, stage: OnStage) -> None:
        """Report, find what is similar, merge, follow."""
        await stage.seen(self.after)
        second = await stage.comes_up(0)
        await second.seen(Kind.ORDER_RECEIVED)
        coordinator = second.client(COORDINATOR)
        proposed = [similar.case_id for similar in (await coordinator.similar(second.case_id)).items]
        if proposed != [stage.case_id]:
            raise NotAsTold(f"proposed as the same matter: {', '.join(proposed) or 'nothing'}, told {stage.case_id}")
        body = {"into": proposed[0], "reason": "同一地点、同一事项"}
        key = f"scene:{second.case_id}:merge"
        await coordinator.command(second.case_id, "merge", body, key, SETTLE_SECONDS)
        await second.seen(Kind.MERGE_TAKEN)
        entries = 0
        while not stage.over:
            entries = await stage.more(entries)
            second.glimpsed(await coordinator.follow(second.case_id, second.code))
