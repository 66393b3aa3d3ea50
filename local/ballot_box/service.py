"""`jiceng ballot-box`: the ballot box of a town, put together from its settings."""

from urllib.parse import urlsplit

from engine.keys.counterpart_keys import Counterpart, key_file
from engine.policies.ballot_box_policy import FILE, load_ballot_box
from engine.runtime.settings import Settings
from local.ballot_box.box_server import BallotBoxSettings, RunningBallotBox


async def run_ballot_box(settings: Settings) -> None:
    """Run the box until cancelled. Raises OSError when the port is taken."""
    policy = load_ballot_box(settings.policies / FILE, settings.ballot_box_url)
    base = urlsplit(settings.ballot_box_url or "")
    box = BallotBoxSettings(
        code=policy.code,
        key_file=key_file(settings.key_folder, policy.code, Counterpart.BALLOT_BOX),
        book=settings.data / "ballot_boxes" / f"{policy.code}.sqlite",
        host=base.hostname or "127.0.0.1",
        port=base.port or 0,
    )
    await RunningBallotBox(box).task
