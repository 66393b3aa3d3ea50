"""The ballot box: a unit is marked once over all channels, a vote is taken once, nothing is told early, nobody is found out."""

import asyncio
import contextlib
import os
import random
import secrets
import signal
import sqlite3
import sys
import time
from collections import Counter
from functools import partial
from pathlib import Path

import pytest

from engine.outside.ballot_boxes import TooFew
from engine.outside.signed_calls import GatewayRefused, GatewayUnavailable
from engine.store.voters import Voter
from local.ballot_box.box_server import BoxCharacter
from local.ballot_box.roll_file import RollFaults, read_roll, roll_of
from local.ballot_box.voter import Ballot, TownSide, key_of
from local.ballot_box.voters_file import read_voters
from schemas.audit.merkle import root_by_path
from schemas.contracts.ballot_box import BallotBody, ChoiceWords, Tally, VoteWords
from schemas.values.identity_document import identity_of
from schemas.values.verified_identity import verified_identity
from tests.box_files import by_place, bytes_in, everything_in, put_in_order
from tests.box_town import BALLOT, CODE, PROJECT, box_town, key_in, lines, town_over, until_answered, until_available
from tests.waiting import eventually


async def test_a_unit_takes_one_ballot_over_all_channels(tmp_path: Path) -> None:
    """Online, then on paper, or by a proxy with another serial: refused. The same asked again is answered the same."""
    async with box_town(tmp_path) as town:
        await town.open()
        first, again = await town.take("0-001"), await town.take("0-001")
        assert (first.status_code, again.json()) == (200, first.json())
        on_paper = await town.town.issue(BALLOT, "0-001", None)
        by_proxy = await town.town.issue(BALLOT, "0-001", Ballot(town.ballots["0-001"].key).blinded.message)
        assert (on_paper.json()["code"], by_proxy.json()["code"]) == ("already-taken", "already-taken")
        assert (await town.town.issue(BALLOT, "0-002", None)).status_code == 200
        assert (await town.take("0-002")).json()["code"] == "already-taken"
        assert (await town.take("9-999")).json()["code"] == "no-such-unit"
        tally = await town.close()
        assert isinstance(tally, Tally)
        assert (tally.issued, tally.paper, tally.count) == (1, 1, 0)


async def test_a_ballot_votes_once_and_nobody_without_one_votes(tmp_path: Path) -> None:
    """The same vote twice is one; another by the same serial is refused, as is a serial that the box did not sign."""
    async with box_town(tmp_path) as town:
        await town.open()
        for unit in ("0-001", "0-002"):
            await town.take(unit)
        assert (await town.vote("0-001", "approve")).status_code == 201
        assert (await town.vote("0-001", "approve")).status_code == 200
        assert (await town.vote("0-001", "oppose")).json()["code"] == "voted-already"
        assert (await town.vote("0-002", "approve", "oppose")).json()["code"] == "no-such-choice"
        forged = Ballot(town.ballots["0-001"].key, signature=town.ballots["0-001"].signature)
        assert (await forged.cast(town.http, town.base, BALLOT, "approve")).json()["code"] == "no-ballot-of-ours"
        assert (await town.vote("0-002")).status_code == 201
        tally = await town.close()
        assert isinstance(tally, Tally)
        assert (tally.totals, tally.abstained, tally.count) == ({"approve": 1, "oppose": 0}, 1, 2)


async def test_before_the_close_nothing_is_told_and_after_it_nothing_is_taken(tmp_path: Path) -> None:
    """No tally while it is open, no vote and no ballot afterwards; closed again it says the same; voters find their own vote."""
    async with box_town(tmp_path) as town:
        await town.open()
        for unit in ("0-001", "0-002", "0-003"):
            await town.take(unit)
        await town.vote("0-001", "approve")
        await town.vote("0-002", "oppose")
        serial = town.ballots["0-001"].serial.hex()
        early = await town.http.get(f"{town.base}/ballots/{BALLOT}/tally")
        assert (early.status_code, early.json()["code"]) == (409, "still-open")
        assert (await town.http.get(f"{town.base}/ballots/{BALLOT}/proofs/{serial}")).status_code == 404
        tally = await town.close()
        assert isinstance(tally, Tally)
        assert await town.close() == tally
        assert (await town.vote("0-003", "approve")).json()["code"] == "closed"
        assert (await town.take("0-004")).json()["code"] == "closed"
        assert (await town.vote("0-001", "approve")).status_code == 200
        proof = (await town.http.get(f"{town.base}/ballots/{BALLOT}/proofs/{serial}")).json()
        leaf = f"{serial}:approve".encode()
        assert root_by_path(leaf, proof["index"], proof["size"], proof["path"]) == tally.merkle_root


async def test_whoever_knows_a_serial_cannot_find_out_what_was_chosen(tmp_path: Path) -> None:
    """A vote with a receipt is found by that alone; casting it again tells nothing, nor does trying choices against the root."""
    async with box_town(tmp_path) as town:
        await town.open()
        await town.take("0-001")
        ballot, receipt = town.ballots["0-001"], secrets.token_hex(32)
        body = {"serial": ballot.serial.hex(), "signature": ballot.signature.hex(), "choices": ["approve"]}
        votes = f"{town.base}/ballots/{BALLOT}/votes"
        first = await town.http.post(votes, json=body | {"receipt": receipt})
        again = await town.http.post(votes, json=body | {"receipt": receipt})
        guesses = [
            await town.http.post(votes, json=body | {"choices": [choice], "receipt": secrets.token_hex(32)})
            for choice in ("approve", "oppose")
        ]
        bare = await town.http.post(votes, json=body)
        tally = await town.close()
        assert isinstance(tally, Tally)
        proofs = f"{town.base}/ballots/{BALLOT}/proofs"
        by_serial = await town.http.get(f"{proofs}/{body['serial']}")
        proof = (await town.http.get(f"{proofs}/{receipt}")).json()
        tried = [f"{body['serial']}:{choice}".encode() for choice in ("approve", "oppose", "")]

    assert [first.status_code, again.status_code] == [201, 200]
    assert [each.json()["code"] for each in (*guesses, bare)] == ["voted-already"] * 3
    assert by_serial.status_code == 404
    leaf = f"{body['serial']}:approve:{receipt}".encode()
    assert root_by_path(leaf, proof["index"], proof["size"], proof["path"]) == tally.merkle_root
    assert tally.merkle_root not in [root_by_path(each, proof["index"], proof["size"], proof["path"]) for each in tried]


async def test_the_first_words_of_a_question_stay(tmp_path: Path) -> None:
    """Whoever has seen one question votes on no other; the page says it, escaped, and keeps out whatever is not the box's own."""
    async with box_town(tmp_path) as town:
        await town.open()
        choices = {"approve": ChoiceWords(zh="同意", en="For it"), "oppose": ChoiceWords(zh="反对", en="Against it")}
        words = VoteWords(ballot_id=BALLOT, question="单侧停车<script>?", choices=choices)
        elsewhere = words.model_copy(update={"ballot_id": "council-20261123-000099.ballot-1"})
        strange = await town.gateway.tell(town.policy, BALLOT, elsewhere)
        told = [await town.gateway.tell(town.policy, BALLOT, words) for _ in range(2)]
        other = await town.gateway.tell(town.policy, BALLOT, words.model_copy(update={"question": "双侧停车?"}))
        unsigned = await town.http.put(f"{town.base}/ballots/{BALLOT}/words", content=words.model_dump_json().encode())
        page = await town.http.get(f"{town.base}/vote/{BALLOT}?lang=en")
        nothing = await town.http.get(f"{town.base}/vote/council-20261123-000099.ballot-1")

    assert told == [None, None]
    assert isinstance(strange, GatewayRefused)
    assert isinstance(other, GatewayRefused)
    assert unsigned.status_code == 401
    assert "单侧停车&lt;script&gt;?" in page.text
    assert "For it" in page.text
    assert "同意" not in page.text
    assert "default-src 'none'" in page.headers["content-security-policy"]
    assert page.headers["referrer-policy"] == "no-referrer"
    assert "set-cookie" not in page.headers
    assert nothing.status_code == 404


async def test_it_stays_open_when_fewer_came_than_were_asked_for(tmp_path: Path) -> None:
    """Who closes it says how many have to have come; nothing of the votes is told by that."""
    async with box_town(tmp_path) as town:
        await town.open()
        await town.take("0-001")
        assert await town.close(unless_fewer=2) == TooFew(issued=1)
        await town.take("0-002")
        assert await town.close(unless_fewer=2) == TooFew(
            issued=1
        )  # the same question: heard again later, it closes nothing
        assert isinstance(await town.close(unless_fewer=2, number=3), Tally)


async def test_the_roll_is_the_one_that_was_announced_and_then_frozen(tmp_path: Path) -> None:
    """Without its roll a vote waits; with another one it is refused; opened, no unit comes or goes."""
    async with box_town(tmp_path) as town:
        roll = roll_of(lines(20))
        body = BallotBody(ballot_id=BALLOT, roll_digest=roll.digest, units=20, voters=20, choices=("approve", "oppose"))
        with pytest.raises(GatewayUnavailable):
            await town.gateway.open(town.policy, body, f"{BALLOT}/box-1")
        await town.town.keep_roll(BALLOT, lines(21))
        refused = await town.gateway.open(town.policy, body, f"{BALLOT}/box-1")
        assert isinstance(refused, GatewayRefused)
        assert refused.code == "another-roll"
        opened = await town.open()
        assert isinstance(opened, str)
        assert await town.open() == opened
        assert (await town.town.keep_roll(BALLOT, lines(21))).json()["code"] == "roll-is-frozen"
        other = body.model_copy(update={"choices": ("approve", "oppose", "later")})
        refused = await town.gateway.open(town.policy, other, f"{BALLOT}/box-1")
        assert isinstance(refused, GatewayRefused)


async def test_only_the_town_marks_and_closes(tmp_path: Path) -> None:
    """What is not signed with the key of town and box is not believed; a vote needs none."""
    async with box_town(tmp_path) as town:
        await town.open()
        stranger = TownSide(town.http, town.base, secrets.token_bytes(32))
        assert (await stranger.issue(BALLOT, "0-001", None)).status_code == 401
        assert (await stranger.keep_roll(BALLOT, lines(1))).status_code == 401
        assert (await town.http.post(f"{town.base}/ballots/{BALLOT}/close", content=b"{}")).status_code == 401


@pytest.mark.parametrize("character", list(BoxCharacter))
async def test_whatever_its_character_each_is_marked_and_counted_once(tmp_path: Path, character: BoxCharacter) -> None:
    """It loses an answer, does everything twice, or falls at the close: who asks again gets what was done."""
    async with box_town(tmp_path, character) as town:
        roll = roll_of(lines(20))
        await until_answered(lambda: town.town.keep_roll(BALLOT, lines(20)))
        body = BallotBody(ballot_id=BALLOT, roll_digest=roll.digest, units=20, voters=20, choices=("approve", "oppose"))
        policy = town.policy.model_copy(update={"timeout_seconds": 1.0})
        await until_available(lambda: town.gateway.open(policy, body, f"{BALLOT}/box-1"))
        for unit, choice in (("0-001", "approve"), ("0-002", "oppose"), ("0-003", "approve")):
            town.ballots[unit] = Ballot(await until_answered(lambda: key_of(town.http, town.base, BALLOT)))
            assert (await until_answered(lambda: town.take(unit))).status_code == 200  # noqa: B023 - awaited here
            assert (await until_answered(lambda: town.vote(unit, choice))).status_code in {200, 201}  # noqa: B023
        town.policy = policy
        tally = await until_available(town.close)

        assert isinstance(tally, Tally)
        assert (tally.totals, tally.count, tally.issued) == ({"approve": 2, "oppose": 1}, 3, 3)


async def test_no_way_leads_from_a_vote_to_a_unit(tmp_path: Path) -> None:
    """Nothing that stands with a unit stands with a vote, neither by value nor by order; and nothing says when it came."""
    async with box_town(tmp_path) as town:
        await town.open()
        units = [line.unit for line in lines(20)]
        random.Random(7).shuffle(units)  # noqa: S311 - a test is the same each time
        for unit in units:
            await town.take(unit)
        for unit in units:
            await town.vote(unit, "approve" if unit < "0-010" else "oppose")
        await town.close()
    rows = everything_in(tmp_path / "box.sqlite")
    of_units = {value for row in rows["marks"] for value in row if value not in (BALLOT, "online")}
    of_votes = {value for row in rows["votes"] for value in row if value not in (BALLOT, "")}
    signatures = {ballot.signature.hex() for ballot in town.ballots.values()}
    in_order = [town.ballots[unit].serial.hex() for unit in units]

    assert len(rows["marks"]) == len(rows["votes"]) == 20
    assert of_units.isdisjoint(of_votes)
    assert not any(str(one) in str(other) for one in of_votes - {"approve", "oppose"} for other in of_units)
    assert signatures.isdisjoint(of_units | of_votes)
    assert [row[1] for row in rows["votes"]] == sorted(in_order) != in_order
    raw = bytes_in(tmp_path)
    assert not any(bytes.fromhex(signature) in raw or signature.encode() in raw for signature in signatures)
    assert {len(row) for row in rows["votes"]} == {
        4
    }  # ballot, serial, choices, receipt: no column for a time or a person


async def test_when_it_is_closed_the_file_itself_has_forgotten_who_came_first(tmp_path: Path) -> None:
    """In a page rows lie as they were written, whatever their key: after the close as if they had come in the order of their keys.

    Where the box died before that was done, it does it when it is asked again.
    """
    other = "council-20261123-000018.ballot-1"
    file, units = tmp_path / "box.sqlite", [line.unit for line in lines(120)]
    async with box_town(tmp_path) as town:
        await town.open(120)
        random.Random(7).shuffle(units)  # noqa: S311 - a test is the same each time
        for unit in units[:80]:
            await town.take(unit)
        for unit in reversed(units[:80]):
            await town.vote(unit, "approve")
        with contextlib.closing(sqlite3.connect(file)) as book:
            book.execute("PRAGMA wal_checkpoint(FULL)")
        words = [f"{unit}online{ballot.blinded.message.hex()[:32]}" for unit, ballot in town.ballots.items()]
        words += [ballot.serial.hex() for ballot in town.ballots.values()]
        while_open, as_keys = by_place(file, words), by_place(put_in_order(file, tmp_path / "open.copy"), words)
        tally = await town.close()
        closed, closed_as_keys = by_place(file, words), by_place(put_in_order(file, tmp_path / "closed.copy"), words)
        town.ballot, town.ballots = other, {}
        await town.open(120)
        for unit in units[80:]:
            await town.take(unit)
            await town.vote(unit, "oppose")
        with contextlib.closing(sqlite3.connect(file)) as book, book:
            book.execute("DELETE FROM forgotten")
        town.ballot = BALLOT
        again = await town.close(number=3)
        words = [ballot.serial.hex() for ballot in town.ballots.values()]
        left = (tmp_path / "box.sqlite-wal").stat().st_size
        later, later_as_keys = by_place(file, words), by_place(put_in_order(file, tmp_path / "later.copy"), words)

    assert while_open != as_keys
    assert closed == closed_as_keys
    assert later == later_as_keys
    assert (again, left) == (tally, 0)


# ---- the load of a whole town -----------------------------------------------------------------------------------------

SERVE = """
import asyncio, sys
from pathlib import Path
from local.ballot_box.box_server import BallotBoxSettings, RunningBallotBox

async def main():
    code, key_file, book, port = sys.argv[1:]
    box = BallotBoxSettings(code=code, key_file=Path(key_file), book=Path(book), port=int(port), key_bits=2048)
    running = RunningBallotBox(box)
    print(running.url, flush=True)
    await running.task

asyncio.run(main())
"""


class KilledBox:
    """A box in a process of its own, which is killed and started anew on the same port."""

    def __init__(self, folder: Path) -> None:
        self._arguments = [CODE, str(key_in(folder)), f"{folder}/box.sqlite"]
        self._port = "0"
        self._process: asyncio.subprocess.Process | None = None
        self.kills = 0

    async def start(self) -> str:
        """Start it, on the port that it had; where it is."""
        self._process = await asyncio.create_subprocess_exec(
            sys.executable, "-c", SERVE, *self._arguments, self._port, stdout=asyncio.subprocess.PIPE, cwd=PROJECT
        )
        assert self._process.stdout is not None
        url = (await self._process.stdout.readline()).decode().strip()
        self._port = url.rpartition(":")[2]
        return url

    async def kill(self) -> None:
        """Kill -9, wherever it is."""
        assert self._process is not None
        os.kill(self._process.pid, signal.SIGKILL)
        await self._process.wait()
        self.kills += 1


FORMS = [
    pytest.param(200, 120, 1, id="a house", marks=pytest.mark.timeout(120)),
    pytest.param(5000, 3000, 3, id="a town", marks=[pytest.mark.long, pytest.mark.timeout(900)]),
]


@pytest.mark.parametrize(("units", "votes", "kills"), FORMS)
async def test_a_box_that_is_killed_counts_every_vote_once(tmp_path: Path, units: int, votes: int, kills: int) -> None:
    """Voters ask again until they are answered; each unit has one ballot and each ballot one vote, whenever it was killed."""
    chance = random.Random(20261129)  # noqa: S311 - a test is the same each time
    box = KilledBox(tmp_path)
    url = await box.start()
    voting = chance.sample([line.unit for line in lines(units)], votes)
    choices = {unit: chance.choice(["approve", "approve", "oppose", ""]) for unit in voting}
    done: list[str] = []

    async with town_over(tmp_path, url) as town:
        await town.open(units)
        key = await key_of(town.http, town.base, BALLOT)

        async def one(unit: str) -> None:
            town.ballots[unit] = Ballot(key)
            assert (await until_answered(lambda: town.take(unit))).status_code == 200
            said = [choices[unit]] if choices[unit] else []
            answer = await until_answered(lambda: town.vote(unit, *said))
            assert answer.status_code in {200, 201}, answer.text
            done.append(unit)

        async def worker(mine: list[str]) -> None:
            for unit in mine:
                await one(unit)

        def voted(share: int) -> bool:
            return len(done) >= votes * share // (kills + 1)

        async def killer() -> None:
            for share in range(1, kills + 1):
                await eventually(partial(voted, share), within=600)
                await box.kill()
                await box.start()

        began = time.monotonic()
        try:
            await asyncio.gather(killer(), *(worker(voting[start::8]) for start in range(8)))
            took = time.monotonic() - began
            tally = await town.close()
        finally:
            await box.kill()

    print(f"{votes} votes of {units} units in {took:.0f} s, killed {kills} times")  # noqa: T201 - asked for by hand
    expected = Counter(choices.values())
    assert box.kills == kills + 1  # while people voted, and once to end the test
    assert isinstance(tally, Tally)
    assert tally.totals == {"approve": expected["approve"], "oppose": expected["oppose"]}
    assert (tally.abstained, tally.count, tally.issued) == (expected[""], votes, votes)


# ---- rolls ------------------------------------------------------------------------------------------------------------


def test_a_roll_is_read_in_hundredths_and_an_owner_of_sixteen_flats_is_one(tmp_path: Path) -> None:
    """Areas are whole numbers, whatever the spelling; the order of the lines does not change the digest."""
    file = tmp_path / "roll.csv"
    flats = [f"1-1-{number:03},W001,86.3" for number in range(16)]
    file.write_text("\n".join(["unit,owner,area", *flats, "2-1-101,,100"]) + "\n", encoding="utf-8")
    roll = roll_of(read_roll(file))
    file.write_text("\n".join(["unit,owner,area", "2-1-101,,100.00", *reversed(flats)]) + "\n", encoding="utf-8")

    assert (roll.units, roll.voters, roll.area_hundredths) == (17, 2, 16 * 8630 + 10000)
    assert roll_of(read_roll(file)) == roll


def test_voters_are_read_by_account_or_number_and_no_fault_names_anybody(tmp_path: Path) -> None:
    """One of the two a line; a number is kept as its issuer would say it, and what is wrong with one is told without it."""
    file = tmp_path / "voters.csv"
    file.write_text(
        "unit,account,identity_number\n3-2-501,,11010519491231002X\n3-2-502,resident-he,\n", encoding="utf-8"
    )
    number, account = read_voters(file)
    file.write_text(
        "unit,account,identity_number\n3-2-501,,110105194912310021\n3-2-502,resident-he,11010519491231002X\n张三,a,\n",
        encoding="utf-8",
    )
    with pytest.raises(RollFaults) as refused:
        read_voters(file)

    assert number == ("3-2-501", Voter(identity=verified_identity(identity_of("11010519491231002X", None))))
    assert account == ("3-2-502", Voter(account="resident-he"))
    assert [fault.split(":")[1] for fault in refused.value.faults] == ["2", "3", "4"]
    assert "1101051949" not in str(refused.value)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("name,unit\n张三,1\n", "no names of people"),
        ("unit\n1-1\n1-1\n", "1-1 stands twice"),
        ("unit,area\n1-1,86.375\n", ":2:"),
        ("unit\n张三\n", ":2:"),
        ("unit\n", "no unit"),
    ],
)
def test_a_roll_that_cannot_be_used_says_why(tmp_path: Path, content: str, said: str) -> None:
    """Names of people, a unit twice, an area that is no hundredth: each is told, with its line."""
    file = tmp_path / "roll.csv"
    file.write_text(content, encoding="utf-8")
    with pytest.raises(RollFaults, match=said):
        read_roll(file)
