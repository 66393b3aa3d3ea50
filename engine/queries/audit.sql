-- What auditors read of a case, whole.

-- name: entries_of_case
-- Every entry of a case, on its chain or beside it; also where its month was taken away from the ledger, and stands beside it.
select case_id, seq, at, kind, actor, body, prev_hash, hash, run_id, task_at
from (select * from ledger_of($1) union all select * from detached_entries($1)) as entry order by seq, task_at, hash;

-- name: detached
-- When the month of a case was taken away from the ledger, and as which table; no row where it was not, or is a part of it again.
-- Whether that table stands beside the ledger, and whether as many cases are known of that month as were taken away.
select partition, detached_at, to_regclass(partition) is not null as stands,
       cases = (select count(*) from cases as known
                where case_month(known.case_id) >= from_month and case_month(known.case_id) < before_month) as all_known
from ledger_detached where partition = taken_away_with($1);

-- name: detached_months
-- What the record says of each month that was taken away, and what there is of it now. A seal that was begun before it has no leaf of it.
select partition, from_month, before_month, cases, entries, digest, detached_at, detached_hash(ledger_detached) as hash,
       exists (select from pg_inherits
               where inhparent = 'ledger'::regclass and months_of(inhrelid) && int4range(from_month, before_month)) as is_part,
       to_regclass(partition) is not null as stands,
       (select count(*) from cases as known
        where case_month(known.case_id) >= from_month and case_month(known.case_id) < before_month) as cases_known,
       (select count(*) from ledger_other
        where case_month(case_id) >= from_month and case_month(case_id) < before_month) as written_since
from ledger_detached order by from_month;

-- name: entries_digest
-- A digest over all entries of a table ($1).
select entries_digest(to_regclass($1));

-- name: kind_of_head
-- The kind of the last entry on the chain of a case; where its entries are not here, by the archive: how its runs ended.
select coalesce(
    (select kind from (select * from ledger_of($1) union all select * from detached_entries($1)) as entry
     join cases using (case_id, seq) where hash = head_hash),
    (select 'case:terminated' from archive
     where case_id = $1 and closed_at is not null and status in ('terminated', 'failed', 'timed_out', 'canceled')
       and to_regclass(taken_away_with($1)) is null and taken_away_with($1) is not null
     limit 1)
);

-- name: row_of_case
-- The row of a case.
select * from cases where case_id = $1;

-- name: ended_among
-- Those of these cases that have come to their end.
select case_id from cases where ended and case_id = any($1);

-- name: restores
-- When the town was put back from a backup: what was told between the two moments, no history knows any more.
select histories_at, restored_at from restores order by restored_at;

-- name: run_of_head
-- The first run of a case, null where it is not kept, and the run that told its last entry, null where that is not there.
select nullif(cases.first_run_id, '') as first_run_id, head.run_id
from cases left join (select * from ledger_of($1) union all select * from detached_entries($1)) as head
    on head.seq = cases.seq and head.hash = cases.head_hash
where cases.case_id = $1;

-- name: known_cases
-- Every case that anything knows of: ledger, row, archive or a seal.
select case_id from ledger
union select case_id from cases
union select case_id from archive
union select case_id from sealed_leaves where kind <> 'month'
order by 1;


-- name: sealed_of_case
-- What seals hold of a case.
select kind, place, hash, first_seal from sealed_leaves where case_id = $1 order by first_seal, kind, place;

-- name: rewrite_case
-- The row of a case as a replay of its history made it.
update cases set
    procedure = $2, stage = $3, area = $4, department = $5, holder = $6, labels = $7, opened_at = $8, closed_at = $9,
    ended = $10, due_at = $11, due_clock = $12, seq = $13, head_hash = $14, clocks = $15, snapshot = $16, involved = $17,
    updated_at = clock_timestamp()
where case_id = $1 and cases.task_at <= $18;

-- name: put_back_case
-- The row of a case that has none, as a replay of its history made it.
insert into cases (case_id, procedure, stage, area, department, holder, labels, opened_at, closed_at, ended,
                   due_at, due_clock, seq, head_hash, clocks, snapshot, involved, task_at)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18)
on conflict (case_id) do nothing;
