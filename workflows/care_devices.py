"""The devices of a file: one person's alone, trusted when a test came through, and looked after by daily visits when they fail."""

from schemas.care import VISIT, Kind
from schemas.care_commands import BindDevice, DeviceEvent, EventKind, UnbindDevice
from schemas.care_state import DEVICE_UNIT, CareState, Device, DeviceStanding, Stage
from schemas.care_terms import Need
from schemas.clocks.clocks import due_at
from schemas.kernel.parties import COORDINATOR, desk_of
from schemas.parts.reservations import ReservedUnit
from schemas.values.actor import Actor
from workflows.care_alarms import STREET, Alarms
from workflows.parts.reservations import ReservationsCase

DESK = desk_of(COORDINATOR)


class Devices(ReservationsCase[CareState], Alarms):
    """The part of a file that hears of devices."""

    # ---- one person's alone ---------------------------------------------------------------------------------------

    def bind_device(self, command: BindDevice) -> None:
        """绑定设备: nobody else has it from the answer on; then it waits for its test."""
        device = Device(number=len(self.state.devices) + 1, platform=command.platform, code=command.device)
        self.state.devices.append(device)
        self.record_command(number=device.number)
        self.reserve_unit(DEVICE_UNIT, f"device-{device.number}", key=device.key)

    def unit_is_held(self, unit: ReservedUnit) -> None:
        """设备可用,待测试: what it sends is of this person from now on."""
        device = self._device_for(unit)
        if device.standing is not DeviceStanding.ASKED:
            self.give_up_unit(unit)
            return
        device.standing, device.bound_at = DeviceStanding.UNTESTED, self.now()
        self.record(Kind.DEVICE_READY, device=device.key)
        self.start_clock("device_trouble")

    def unit_is_refused(self, unit: ReservedUnit) -> None:
        """设备已被他人绑定: it protects nobody here; whoever wanted it is told."""
        device = self._device_for(unit)
        device.standing = DeviceStanding.TAKEN
        self.record(Kind.DEVICE_TAKEN, device=device.key, code=unit.code)
        self.notify(f"participant:{self.state.worker}", "care_device_taken")

    def unbind_device(self, command: UnbindDevice, by: Actor) -> None:
        """解绑设备: visits go on."""
        device = self.state.device_of(command.platform, command.device)
        assert device is not None  # noqa: S101 - the faults of the command
        self.record_command(number=device.number)
        if device.standing is DeviceStanding.TROUBLE:
            self.state.daily_until_assessed = True
            self.start_clock("reassess", limit=self.state.terms.reassess_soon)
            self.notify(STREET, "care_device_gone")
        self.let_go(device)
        self._look_at_trouble(by.subject)

    def let_go_of_devices(self) -> None:
        """Without consent, or without a file, no device is anybody's."""
        for device in self.state.devices:
            if device.bound or device.standing is DeviceStanding.ASKED:
                self.let_go(device)
        self._look_at_trouble("engine")

    def let_go(self, device: Device) -> None:
        """What it sends from now on is of nobody here."""
        device.standing = DeviceStanding.UNBOUND
        unit = self.state.unit_of(f"device-{device.number}")
        if unit is not None:
            self.give_up_unit(unit)

    def _device_for(self, unit: ReservedUnit) -> Device:
        return next(each for each in self.state.devices if f"device-{each.number}" == unit.what_for)

    # ---- what it says ---------------------------------------------------------------------------------------------

    def device_event(self, command: DeviceEvent) -> None:
        """设备上报: an alarm, whatever the device is worth; or how it is itself, by its latest word."""
        device = self.state.device_of(command.platform, command.device)
        at = min(command.at, self.now())  # a clock that runs ahead makes nothing that comes later old
        is_theirs = device is not None and device.bound and (device.bound_at is None or at >= device.bound_at)
        if (kind := command.event_kind.alarm) is not None:
            if device is None or not is_theirs or command.unclear:
                self._somebody_calls(command)
                return
            self.help_is_called(kind, at, event=command.event, device=device.key)
            return
        assert device is not None  # noqa: S101 - the faults of the command
        is_old = not is_theirs or (device.last_at is not None and at < device.last_at)
        self.record_command(old=is_old)
        if is_old:
            return
        device.last_at = at
        if self._is_low(command) or command.event_kind is EventKind.TROUBLE:
            self._is_in_trouble(device)
        elif command.event_kind is EventKind.TEST:
            self._is_tested(device)
        elif device.standing is DeviceStanding.TROUBLE:
            self._is_well(device)

    def _somebody_calls(self, command: DeviceEvent) -> None:
        """不明呼叫: by a device that was somebody else's when it called, or is nobody's: a person finds out who it is."""
        self.record_command(old=True)
        for told in (DESK, f"participant:{self.state.worker}"):
            self.notify(told, "care_unclear_call", kind=command.event_kind)

    def _is_low(self, command: DeviceEvent) -> bool:
        return command.battery_percent is not None and command.battery_percent < self.state.terms.battery_low_percent

    def _is_tested(self, device: Device) -> None:
        device.tested, device.standing = True, DeviceStanding.PROTECTS
        self._look_at_trouble("engine")
        self.record(Kind.DEVICE_TESTED, device=device.key)

    def _is_in_trouble(self, device: Device) -> None:
        """设备异常: until it works again somebody looks in every day."""
        if device.standing is DeviceStanding.TROUBLE:
            return
        device.standing = DeviceStanding.TROUBLE
        self.start_clock("device_trouble")
        self.visits_no_later_than(Need.DAILY_CHECK)
        self.record(Kind.DEVICE_TROUBLE, device=device.key)
        for told in (f"participant:{self.state.worker}", STREET):
            self.notify(told, "care_device_trouble")

    def _is_well(self, device: Device) -> None:
        device.standing = DeviceStanding.PROTECTS if device.tested else DeviceStanding.UNTESTED
        self._look_at_trouble("engine")
        self.record(Kind.DEVICE_WELL, device=device.key)

    def _look_at_trouble(self, by: str) -> None:
        """The duty to mend runs while one does not work, or was never tested."""
        ailing = {DeviceStanding.TROUBLE, DeviceStanding.UNTESTED}
        if not any(each.standing in ailing for each in self.state.devices):
            self.clocks.stop("device_trouble", by)

    # ---- visits -----------------------------------------------------------------------------------------------------

    def visits_no_later_than(self, need: Need) -> None:
        """The next visit is the earlier one of when it was due, and of when it is due by this need from today on."""
        if self.state.stage != Stage.ACTIVE or not self.clocks.runs(VISIT):
            return
        before = self.state.clocks[VISIT]
        self.start_clock(VISIT, limit=self.state.terms.intervals[need])
        calendar = self.state.charter.calendar
        earlier, later = due_at(before, calendar), due_at(self.state.clocks[VISIT], calendar)
        if earlier is not None and later is not None and earlier <= later:
            self.state.clocks[VISIT] = before
        else:
            self.state.due_from = self.now()
