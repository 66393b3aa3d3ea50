"""At the doors: each word of somebody who was there, what follows from it, and what is said to the warning.

The later word counts. Who is not safe is somebody's duty until somebody says that they are.
"""

from schemas.kernel.parties import GRID_WORKER, STREET_OFFICER, desk_of
from schemas.sweep_commands import DoorOutcome, OrderRemoval, Persuade, RecordDoor, SearchHouse
from schemas.sweep_state import SAFE, UNSAFE, Household, HouseholdStage, Stage, SweepState, limit_of_sweep
from schemas.values.actor import Actor
from schemas.warning_messages import DoorStands, Subject, SweepReport
from workflows.parts.children import ChildCase
from workflows.parts.drills import DrilledCase
from workflows.parts.items import ItemsCase

GRID, STREET = desk_of(GRID_WORKER), desk_of(STREET_OFFICER)


class Doors(DrilledCase[SweepState], ItemsCase[SweepState, Household], ChildCase[SweepState]):
    """The part of a sweep that goes from door to door."""

    # ---- at the door -------------------------------------------------------------------------------------------------

    def record_door(self, command: RecordDoor, by: Actor) -> None:
        """入户: by the later word; what follows from it follows only if it counts."""
        item = self.item(command.item)
        was, at = item.stage, command.said_of(self.now())
        counts = self.say_of(item, command.stage, at, by)
        if counts:
            self.clocks.stop("first_door", by.subject)
            item.persons = command.persons if command.outcome.stage in SAFE else 0
            item.named = item.stayed = False
            self.look_at_refusal(item, was, by)
            self.look_at_danger(item, was, by)
        self.record_command(counts=counts, was=was, stands=item.stage)
        if counts and command.outcome is DoorOutcome.CAME_BACK:
            self.notify(STREET, "sweep_came_back", household=item.code)
        if counts and item.stage == HouseholdStage.LISTED:
            self.walk_again()
        self.report(item)

    def persuade(self, command: Persuade, by: Actor) -> None:
        """劝导: whatever comes of it is written down at the door anew."""
        item = self.item(command.item)
        item.persuaded += 1
        self.clocks.stop(f"persuade:{item.number}", by.subject)
        self.record_command(times=item.persuaded)

    def order_removal(self, command: OrderRemoval) -> None:
        """带离: they are still in danger, until somebody says at the door that they are not."""
        item = self.item(command.item)
        item.removal = command.police_order
        self.start_clock(f"removal:{item.number}")
        self.apply()

    def search_house(self, command: SearchHouse) -> None:
        """查看: nobody is inside; nobody is safe by that."""
        item = self.item(command.item)
        item.searched = True
        self.record_command()
        self.notify(STREET, "sweep_not_found", household=item.code)

    # ---- what follows ------------------------------------------------------------------------------------------------

    def look_at_refusal(self, item: Household, was: str, by: Actor) -> None:
        """Who refuses for the first time is asked by a second person soon; who does not, is not asked any more."""
        if item.stage != HouseholdStage.REFUSED:
            self.begins_anew(item, by.subject)
        elif was != HouseholdStage.REFUSED:
            self.start_clock(f"persuade:{item.number}")
            self.notify(STREET, "sweep_refused", household=item.code)
        elif item.persuaded:
            item.refused_again = True

    def begins_anew(self, item: Household, by: str) -> None:
        """What was tried when it stood elsewhere is not tried yet."""
        self.clocks.stop(f"persuade:{item.number}", by)
        self.clocks.stop(f"removal:{item.number}", by)
        item.persuaded, item.refused_again, item.removal, item.searched = 0, False, None, False

    def look_at_danger(self, item: Household, was: str, by: Actor) -> None:
        """Who is not safe is somebody's duty from the first such word on, until somebody says that they are."""
        clock = f"unsafe:{item.number}"
        if item.stage in UNSAFE and not self.state.is_over:
            if not self.clocks.runs(clock):
                self.start_clock(clock)
        elif item.stage != HouseholdStage.LISTED:
            self.clocks.stop(clock, by.subject)
        if was in (HouseholdStage.LISTED, *UNSAFE) and not self.state.is_over:
            self.last_limit_if_safe()

    def last_limit_if_safe(self) -> None:
        """Nobody is in danger: whoever was called again and again is not any more."""
        if not self.state.somebody_is_in_danger:
            self.clocks.stop(self.procedure.last_limit, "engine")

    def move(self, stage: str, holder: str) -> None:
        """Going on silences nobody: as long as somebody is in danger everybody is called again and again."""
        super().move(stage, holder)
        self.last_limit_if_safe()

    def walk_again(self) -> None:
        """Somebody has to go to a door once more: the time for that runs anew."""
        if self.state.stage != Stage.SWEPT:
            return
        self.clocks.stop("recheck", "engine")
        self.start_sweep_clock()
        self.move(Stage.WALKING, GRID)

    # ---- the team, its time, and what it tells -----------------------------------------------------------------------

    def led_by(self) -> tuple[str, str]:
        """Who leads the team by the town's list, and who stands in."""
        return f"participant:{self.state.leader}", f"participant:{self.state.deputy}"

    def start_sweep_clock(self) -> None:
        """As much time as the level gives from now on."""
        state = self.state
        self.start_clock("sweep", limit=limit_of_sweep(state.terms, state.level, self.now(), state.onset))

    def counted(self) -> dict[str, int]:
        """How many households stand where, as the warning counts them."""
        listed, safe, unsafe = (len(self.state.items_at(*each)) for each in ((HouseholdStage.LISTED,), SAFE, UNSAFE))
        return {
            "listed": listed,
            "safe": safe,
            "unsafe": unsafe,
            "done": len(self.state.items) - listed - safe - unsafe,
        }

    def people(self) -> dict[str, int]:
        """How many people are known to live there, and how many of them were moved or are where it says."""
        return {
            "heads": sum(each.heads for each in self.state.items),
            "accounted_for": sum(each.persons for each in self.state.items),
        }

    def report(self, *items: Household, over: bool = False) -> None:
        """Tell the warning where this stands, and these households; the last word counts, whatever order words arrive in."""
        state = self.state
        doors = tuple(DoorStands(code=each.code, stage=each.stage, persons=each.persons) for each in items)
        report = SweepReport(number=state.number, stage=state.stage, heard=state.seq, doors=doors, over=over)
        self.tell_parent(Subject.SWEEP_REPORTED, report)
