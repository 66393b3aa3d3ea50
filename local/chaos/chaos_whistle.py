"""Whistles under disturbance: the street calls two departments, which come by their own systems, and scores them in the end."""

from random import Random

from local.chaos.chaos_load import WAIT_SECONDS, Crowd
from local.simulation.townspeople import AREAS, AUDITOR
from local.whistle_scenes import STREET
from schemas.values.location import Location
from schemas.whistle import Kind
from schemas.whistle_call import WhistleCall
from schemas.whistle_policy import WhistleType
from schemas.whistle_state import Stage
from starter.client import Refused, TownClient

CALLED = ("urban-management", "justice-office", "ecology-environment")
NOT_TO_BE_SCORED = {"bad-command", "case-ended"}
"""What the street is told of a department that stayed away; and of a whistle that ended before its officer had read it."""
DIRECTIONS = ("", "", "〔剧本:时断时续〕", "〔剧本:重复〕")
"""How departments treat a whistle: never so that one of them stays away."""


class Whistles(Crowd):
    """Whistles and the street officer who scores."""

    name = "whistle"

    async def play(self, number: int, key: str, entrance: int) -> None:
        """Blow it, wait until all have done their task, and score each; who was given up and came after all is scored then."""
        street = self.client_of(STREET, entrance)
        call = call_of(self.seed, number)
        case_id = self.stands(key, await street.blow_whistle(call, key))
        await self.reached(case_id, Stage.WORKING, entrance)
        settled_before, to_score = 0, set(call.departments)
        while (case := await street.case(case_id)).stage == Stage.WORKING:
            settled = [entry.kind for entry in await street.timeline(case_id)].count(Kind.ALL_SETTLED)
            if settled == settled_before:
                await self.client_of(AUDITOR, entrance).case(case_id, f"seq:{case.seq + 1}", WAIT_SECONDS)
                continue
            settled_before = settled
            to_score -= {each for each in sorted(to_score) if await self._scored(street, case_id, each, settled)}

    async def _scored(self, street: TownClient, case_id: str, department: str, time: int) -> bool:
        """Score a department; False for one that stayed away."""
        try:
            about = f"{department}:{time}"
            await self.give(street, case_id, "score", {"department": department, "score": 90}, about)
        except Refused as refused:
            if refused.code not in NOT_TO_BE_SCORED:
                raise
            return False
        return True


def call_of(seed: int, number: int) -> WhistleCall:
    """The whistle with this number: the same for the same seed."""
    random = Random(f"{seed}/whistle/{number}")
    called = tuple(random.sample(CALLED, 2))
    return WhistleCall(
        type=WhistleType.ENFORCEMENT,
        matter=f"第{number}号联合执法{random.choice(DIRECTIONS)}",
        location=Location(address=f"解放路{number}号", area=random.choice(AREAS)),
        departments=called,
        lead=called[0],
    )


CROWD = Whistles
