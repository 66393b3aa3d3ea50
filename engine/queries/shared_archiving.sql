-- What several archivers share: who stores which run, and who does what is due (audit/archive/run_leases.py, duties.py).

-- name: lease_runs
-- Of these runs those that nobody else is storing, from now on for so long the holder's. In one order, so that no two wait for each other.
insert into archive_leases as known (run_id, holder, leased_until)
select run_id, $3, clock_timestamp() + $2::interval from unnest($1::text[]) as asked (run_id) order by run_id
on conflict (run_id) do update set holder = excluded.holder, leased_until = excluded.leased_until
where known.leased_until <= clock_timestamp()
returning run_id;

-- name: hold_runs
-- Whoever is storing these runs is storing them still.
update archive_leases set leased_until = clock_timestamp() + $2::interval where run_id = any($1::text[]) and holder = $3;

-- name: release_runs
-- The holder is not at these runs any more; who took one over when the lease had run out still is.
delete from archive_leases where run_id = any($1::text[]) and holder = $2;

-- name: know_duty
-- A duty, due for the first time after so long; one that is known comes no later than that.
insert into duties as known (duty, due_at) values ($1, clock_timestamp() + $2::interval)
on conflict (duty) do update set due_at = excluded.due_at where known.due_at > excluded.due_at;

-- name: begin_duty
-- A duty that is due and that nobody is at: it is the holder's for so long.
update duties set holder = $2, leased_until = clock_timestamp() + $3::interval
where duty = $1 and due_at <= clock_timestamp() and (leased_until is null or leased_until <= clock_timestamp())
returning true;

-- name: hold_duty
-- Whoever is at a duty is at it still.
update duties set leased_until = clock_timestamp() + $3::interval where duty = $1 and holder = $2;

-- name: end_duty
-- It is done, and due again after so long: counted from when it was due, so that the schedule does not drift; or from now, when that is past.
update duties
set holder = null, leased_until = null,
    due_at = case when due_at + $3::interval > clock_timestamp() then due_at else clock_timestamp() end + $3::interval
where duty = $1 and holder = $2;

-- name: give_duty_back
-- It came to nothing, and is anybody's again at once.
update duties set holder = null, leased_until = null where duty = $1 and holder = $2;
