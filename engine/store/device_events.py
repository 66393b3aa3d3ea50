"""What is asked of the memory of device events: to which case each went, whose a device is, and which call of it is open."""

from engine.store.database import Queries


class DeviceEventQueries(Queries):
    """engine/queries/device_events.sql."""

    file_of_event: str
    file_of_device: str
    file_that_had_device: str
    last_file_of_device: str
    open_call_of_device: str
    remember: str
    forget: str


SQL = DeviceEventQueries.load("device_events")
