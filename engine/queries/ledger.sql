-- name: insert_entry
-- One entry; a repeat of the very same one changes nothing.
insert into ledger (case_id, seq, at, kind, actor, body, prev_hash, hash)
values ($1, $2, $3, $4, $5, $6, $7, $8)
on conflict (case_id, seq) do nothing;

-- name: differing_entries
-- Entries that stand in the ledger under another hash than the case now gives them.
select wanted.seq
from unnest($2::integer[], $3::text[]) as wanted (seq, hash)
join ledger on ledger.case_id = $1 and ledger.seq = wanted.seq
where ledger.hash <> wanted.hash;

-- name: upsert_case
-- The row of a case; an older state never replaces a newer one.
insert into cases (case_id, procedure, stage, area, department, holder, labels, opened_at, closed_at, ended,
                   due_at, due_clock, seq, head_hash, clocks, snapshot)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)
on conflict (case_id) do update set
    stage = excluded.stage, area = excluded.area, department = excluded.department, holder = excluded.holder,
    labels = excluded.labels, opened_at = excluded.opened_at, closed_at = excluded.closed_at, ended = excluded.ended,
    due_at = excluded.due_at, due_clock = excluded.due_clock, seq = excluded.seq, head_hash = excluded.head_hash,
    clocks = excluded.clocks, snapshot = excluded.snapshot, updated_at = clock_timestamp()
where cases.seq <= excluded.seq;

-- name: insert_notice
-- One notice of the outbox; a repeat changes nothing, so nobody is told twice.
insert into outbox (case_id, seq, position, recipient, template, facts)
values ($1, $2, $3, $4, $5, $6)
on conflict (case_id, seq, position) do nothing;

-- name: announce_case
-- Wake whoever waits for the case.
select pg_notify('cases', $1);

-- name: entries_of_case
-- The chain of a case, from its first entry.
select body, hash from ledger where case_id = $1 order by seq;

-- name: cases_with_ledger
-- Every case that has a ledger or a row, and the head the row claims.
select coalesce(heads.case_id, cases.case_id) as case_id, cases.seq, cases.head_hash, cases.ended
from (select case_id from ledger where seq = 1) as heads
full join cases on cases.case_id = heads.case_id
order by 1;
