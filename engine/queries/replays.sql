-- Replays that auditors asked for.

-- name: one_at_a_time
-- Who asks for a replay of a case waits for who asked a moment before.
select pg_advisory_xact_lock(hashtextextended('replay of ' || $1, 0));

-- name: latest_replay
-- The last one of a case. `running`: a process works at it, as far as anybody knows.
select number, case_id, asked_by, asked_at, ended_at, leads, detail,
       ended_at is null and given_up_at > clock_timestamp() as running
from replays where case_id = $1 order by number desc limit 1;

-- name: ask_for_replay
-- One more; after $3 nothing works at it.
insert into replays (case_id, asked_by, given_up_at) values ($1, $2, clock_timestamp() + $3::interval)
returning number, case_id, asked_by, asked_at, ended_at, leads, detail, true as running;

-- name: end_replay
-- What came of one.
update replays set ended_at = clock_timestamp(), leads = $2, detail = $3 where number = $1 and ended_at is null;
