"""团队成员: who is named in a team says so themselves; nobody's silence makes them a member.

Source: domain (residents propose; three at least). Whoever hands it in names a team of accounts. Each of them says yes (`join`)
or no (`decline_membership`) within a time of their own (`members`), and as long as the round collects; then the team is who said
yes, whoever screens it whenever. With fewer than `team_at_least`, or without whoever speaks for it, it is not judged. Cases from
before asked nobody (`joined` None): there the team is who was named.
"""

from datetime import datetime

from schemas.kernel.parties import seated
from schemas.kernel.people import among, same_account
from schemas.proposal_state import TEAM_SEAT, ProposalState
from schemas.values.actor import Actor, Role
from schemas.values.refusals import say

MEMBER = seated(Role.RESIDENT, TEAM_SEAT)
"""Whoever is named in the team."""

_IT_STANDS = say("团队已确定", "the time for saying so is over, and the team stands")


def member_is_asked(state: ProposalState, actor: Actor, _now: datetime) -> str | None:
    """Each says yes once; where nobody is asked, there is nothing to say."""
    if state.joined is None:
        return say("本案团队在提交时已定", "the team of this proposal stood when it was handed in")
    if state.counted:
        return _IT_STANDS
    return say("您已同意加入", "you have said yes already") if among(actor.subject, state.joined) else None


def is_no_lead(state: ProposalState, actor: Actor, _now: datetime) -> str | None:
    """Without whoever speaks for it there is no proposal."""
    if state.joined is None:
        return say("本案团队在提交时已定", "the team of this proposal stood when it was handed in")
    if state.counted:
        return _IT_STANDS
    if same_account(actor.subject, state.team[0]):
        return say("您是负责人,请撤回提案", "you speak for the team: withdraw the proposal instead")
    return None
