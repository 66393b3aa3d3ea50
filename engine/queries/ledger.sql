-- name: insert_entry
-- One entry; a repeat of the very same one changes nothing.
insert into ledger (case_id, seq, at, kind, actor, body, prev_hash, hash, run_id, task_at)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
on conflict (case_id, seq, hash) do nothing;

-- name: has_entry
-- Whether the ledger has the entry that a batch follows.
select exists (select from ledger where case_id = $1 and seq = $2 and hash = $3);

-- name: upsert_case
-- The row of a case, unless a later workflow task has written it already.
insert into cases (case_id, procedure, stage, area, department, holder, labels, opened_at, closed_at, ended,
                   due_at, due_clock, seq, head_hash, clocks, snapshot, involved, task_at)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18)
on conflict (case_id) do update set
    stage = excluded.stage, area = excluded.area, department = excluded.department, holder = excluded.holder,
    labels = excluded.labels, opened_at = excluded.opened_at, closed_at = excluded.closed_at, ended = excluded.ended,
    due_at = excluded.due_at, due_clock = excluded.due_clock, seq = excluded.seq, head_hash = excluded.head_hash,
    clocks = excluded.clocks, snapshot = excluded.snapshot, involved = excluded.involved, task_at = excluded.task_at, updated_at = clock_timestamp()
where cases.task_at <= excluded.task_at
returning case_id;

-- name: forget_notices
-- Notices of an attempt that came to nothing, as far as nobody was told yet.
delete from outbox where case_id = $1 and seq >= $2 and delivered_at is null;

-- name: insert_notice
-- One notice of the outbox; a repeat changes nothing, so nobody is told twice.
insert into outbox (case_id, seq, position, recipient, template, facts)
values ($1, $2, $3, $4, $5, $6)
on conflict (case_id, seq, position) do nothing;

-- name: announce_case
-- Wake whoever waits for the case.
select pg_notify('cases', $1);

-- name: entries_of_case
-- The chain of a case, from its first entry to its head.
select seq, body, hash from chain_of($1);

-- name: count_entries
-- How many entries of a case the ledger has, on its chain or beside it.
select count(*) from ledger where case_id = $1;

-- name: cases_with_ledger
-- Every case that has a ledger or a row, and the head the row claims.
select coalesce(heads.case_id, cases.case_id) as case_id, cases.seq, cases.head_hash, cases.ended
from (select distinct case_id from ledger) as heads
full join cases on cases.case_id = heads.case_id
order by 1;
