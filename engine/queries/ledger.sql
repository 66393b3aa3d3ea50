-- name: insert_entry
-- One entry; a repeat of the very same one changes nothing: the partition of the ledger in which it lies has it already.
insert into ledger (case_id, seq, at, kind, actor, body, prev_hash, hash, run_id, task_at)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
on conflict do nothing;

-- name: write_case
-- All that is pending in a case, in one statement (engine/migrations/20261201000001_told_with_answers.sql).
select write_case($1::text::jsonb, $2::jsonb, $3::jsonb, $4, $5, $6, $7, $8);

-- name: write_case_untold
-- The same by somebody who tells of it afterwards: the commit itself announces nothing (engine/store/announcer.py).
with later as materialized (select set_config('jiceng.announced', 'later', true))
select write_case($1::text::jsonb, $2::jsonb, $3::jsonb, $4, $5, $6, $7, $8) from later;

-- name: note_retry
-- A flush is tried again: at the latest half a minute after the last try; what comes later is another fault (as `untaken` has it).
insert into flush_retries as known (case_id, attempts) values ($1, $2)
on conflict (case_id) do update set
    attempts = excluded.attempts, tried_at = excluded.tried_at,
    since = case when known.tried_at < excluded.tried_at - interval '90 seconds' then excluded.since else known.since end;

-- name: announce_case
-- Wake whoever waits for the case. The first is for an API from before.
select pg_notify('cases', $1), pg_notify('told', $1);

-- name: entries_of_case
-- The chain of a case, from its first entry to its head.
select seq, body, hash from chain_of($1);

-- name: count_entries
-- How many entries of a case the ledger has, on its chain or beside it.
select count(*) from ledger_of($1);

-- name: cases_with_ledger
-- Every case that has a ledger or a row, and the head the row claims.
select coalesce(heads.case_id, cases.case_id) as case_id, cases.seq, cases.head_hash, cases.ended
from (select distinct case_id from ledger) as heads
full join cases on cases.case_id = heads.case_id
order by 1;
