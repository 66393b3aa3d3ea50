"""What an outsider tries at the doors of the ballot box, and an insider with one signed request of the town's in hand."""

import time
from pathlib import Path

import pytest

from engine.outside.signed_calls import GatewayRefused
from local.ballot_box.roll_file import roll_of
from local.ballot_box.voter import AnotherKey, Ballot, key_of
from schemas.contracts.ballot_box import BallotBody, Channel, CloseBody, IssueBody, RollBody, RollLine, Tally
from schemas.contracts.signature import SIGNATURE_HEADER, TIMESTAMP_HEADER, sign
from schemas.values.model import Model
from tests.box_town import BALLOT, BoxTown, box_town, lines

OTHER = "council-20261123-000018.ballot-1"


async def replayed(town: BoxTown, method: str, path: str, body: Model) -> str:
    """What the town signed for one ballot, sent to another one; the code of the refusal."""
    content = body.model_dump_json().encode()
    timestamp = str(int(time.time()))
    headers = {TIMESTAMP_HEADER: timestamp, SIGNATURE_HEADER: sign(town.town.secret, timestamp, content)}
    answer = await town.http.request(method, f"{town.base}{path}", content=content, headers=headers)
    assert answer.status_code == 409, answer.text
    return str(answer.json()["code"])


@pytest.mark.parametrize(
    ("method", "door", "body"),
    [
        ("POST", "close", CloseBody(ballot_id=BALLOT, question=f"{BALLOT}/box-2")),
        ("POST", "issues", IssueBody(ballot_id=BALLOT, unit="0-001", channel=Channel.PAPER)),
        ("PUT", "roll", RollBody(ballot_id=BALLOT, lines=lines(20))),
    ],
    ids=["close", "issues", "roll"],
)
async def test_what_was_signed_for_one_ballot_is_refused_by_another(
    tmp_path: Path, method: str, door: str, body: Model
) -> None:
    """The signature is over time and body: a body that named no ballot would close, mark and roll every other one too."""
    async with box_town(tmp_path) as town:
        town.ballot = OTHER
        await town.open()

        assert await replayed(town, method, f"/ballots/{OTHER}/{door}", body) == "another-ballot"
        look = await town.http.get(f"{town.base}/ballots/{OTHER}")
        assert look.json()["open"] is True


async def test_a_ballot_of_one_vote_is_none_of_another(tmp_path: Path) -> None:
    """Each vote has a key of its own: what it signed counts there and nowhere else."""
    async with box_town(tmp_path) as town:
        await town.open()
        await town.take("0-001")
        town.ballot = OTHER
        await town.open()
        answer = await town.ballots["0-001"].cast(town.http, town.base, OTHER, "approve")

        assert answer.json()["code"] == "no-ballot-of-ours"


async def test_who_has_sixteen_flats_does_not_vote_sixteen_times(tmp_path: Path) -> None:
    """A roll that says whose a unit is, or how large, is of a vote that is signed: the box refuses it."""
    async with box_town(tmp_path) as town:
        flats = [RollLine(unit=f"1-{number:03}", owner="W001") for number in range(16)]
        assert (await town.town.keep_roll(BALLOT, flats)).json()["code"] == "owners-vote-signed"
        sized = [RollLine(unit="1-001", area_hundredths=8637)]
        assert (await town.town.keep_roll(BALLOT, sized)).json()["code"] == "owners-vote-signed"
        await town.town.keep_roll(BALLOT, lines(20))
        body = BallotBody(
            ballot_id=BALLOT, roll_digest=roll_of(lines(20)).digest, units=20, voters=2, choices=("approve", "oppose")
        )
        refused = await town.gateway.open(town.policy, body, f"{BALLOT}/box-1")

        assert isinstance(refused, GatewayRefused)
        assert refused.code == "another-roll"


async def test_nobody_learns_at_the_door_what_three_neighbours_chose(tmp_path: Path) -> None:
    """After the close everybody may ask: no figure under ten, none that is its rest, and none at all beside papers."""
    async with box_town(tmp_path) as town:
        await town.open()
        for number, line in enumerate(lines(20)[:15]):
            await town.take(line.unit)
            await town.vote(line.unit, "approve" if number < 12 else "oppose")
        tally = await town.close()
        shown = (await town.http.get(f"{town.base}/ballots/{BALLOT}/tally")).json()

        assert isinstance(tally, Tally)
        assert tally.totals == {"approve": 12, "oppose": 3}
        assert shown["totals"] == {}
        assert (shown["count"], shown["merkle_root"]) == (15, tally.merkle_root)
        assert "abstained" not in shown


async def test_beside_papers_the_door_tells_no_choice(tmp_path: Path) -> None:
    """The case tells both together: less what the box told, the papers' own would be known."""
    async with box_town(tmp_path) as town:
        await town.open(30)
        for number, line in enumerate(lines(30)[:24]):
            await town.take(line.unit)
            await town.vote(line.unit, "approve" if number < 12 else "oppose")
        await town.town.issue(BALLOT, lines(30)[29].unit, None)
        await town.close()

        assert (await town.http.get(f"{town.base}/ballots/{BALLOT}/tally")).json()["totals"] == {}


async def test_a_voter_who_is_shown_another_key_takes_no_ballot(tmp_path: Path) -> None:
    """By a key that it shows to one voter alone the box would know that vote again."""
    async with box_town(tmp_path) as town:
        opened = await town.open()
        assert isinstance(opened, str)
        Ballot(await key_of(town.http, town.base, BALLOT, opened))
        with pytest.raises(AnotherKey):
            await key_of(town.http, town.base, BALLOT, "0" * 64)
