-- Events of devices: to which file each went, for ever (starter/care_devices.py).

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

-- name: remember
-- Remember to which file an event goes; who comes second changes nothing.
insert into device_events (platform, event, case_id) values ($1, $2, $3)
on conflict (platform, event) do update set case_id = excluded.case_id where device_events.case_id is null;

-- name: forget
-- An event that its file would not take at this attempt is nobody's: when it comes again it is asked anew whose the device is.
update device_events set case_id = null, attempt = attempt + 1 where platform = $1 and event = $2 and case_id = $3 and attempt = $4;
