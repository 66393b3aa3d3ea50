-- Events of devices: to which case each went, for ever (starter/care_devices.py, starter/care_unfiled.py).

-- name: file_of_event
-- The file to which an event of a platform went, and at which attempt; no file if it was refused before, no row if it is new.
select case_id, attempt from device_events where platform = $1 and event = $2;

-- name: file_of_device
-- The living file that holds a device now. $1: what is held, $2: the platform's code and the device's, as `schemas/care_state.py` has it.
select case_id from reservations where kind = $1 and key = $2 and hold = 'unit' and released_at is null;

-- name: file_that_had_device
-- The living file that held a device last: whoever calls by it may still be that person.
select case_id from reservations join cases using (case_id)
where reservations.kind = $1 and reservations.key = $2 and reservations.hold = 'unit' and not cases.ended
order by reservations.released_at desc nulls first
limit 1;

-- name: last_file_of_device
-- The file that held a device last, also one that has ended, with who had it: of a device that is in none any more.
select case_id as last_file, area, snapshot ->> 'worker' as last_worker, snapshot ->> 'deputy' as last_deputy
from reservations join cases using (case_id)
where reservations.kind = $1 and reservations.key = $2 and reservations.hold = 'unit'
order by reservations.released_at desc nulls first
limit 1;

-- name: open_call_of_device
-- The open case of a call without a file that a device has.
select case_id from reservations where kind = $1 and key = $2 and hold = $3 and released_at is null;

-- name: remember
-- Remember to which file an event goes; who comes second changes nothing.
insert into device_events (platform, event, case_id) values ($1, $2, $3)
on conflict (platform, event) do update set case_id = excluded.case_id where device_events.case_id is null;

-- name: forget
-- An event that its file would not take at this attempt is nobody's: when it comes again it is asked anew whose the device is.
update device_events set case_id = null, attempt = attempt + 1 where platform = $1 and event = $2 and case_id = $3 and attempt = $4;
