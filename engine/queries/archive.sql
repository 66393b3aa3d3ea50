-- The archive of closed runs: what stands in it, and how far it is behind.

-- name: insert_run
-- One run; archived before, it changes nothing.
insert into archive (case_id, run_id, events, status, closed_at, sha256, manifest, manifest_hash, history)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
on conflict do nothing
returning run_id;

-- name: archived_closed
-- Which of these runs are archived as closed ones.
select run_id from archive where run_id = any($1::text[]) and closed_at is not null;

-- name: runs_of_case
-- Every archived record of a case, the oldest first.
select case_id, run_id, events, status, closed_at, sha256, manifest, manifest_hash, history
from archive where case_id = $1 order by closed_at nulls last, events;

-- name: sha256_of_run
-- The hash of a closed run.
select sha256 from archive where run_id = $1 and closed_at is not null;

-- name: archived_cases
-- Every case of which the archive has a run.
select distinct case_id from archive order by 1;

-- name: cases_after
-- The next so many cases by their numbers.
select case_id from cases where case_id > $1 order by case_id limit $2;

-- name: runs_told_of
-- Of these cases the runs that the ledger knows of and the archive does not have: earlier ones, and the last of a case that has ended.
select ledger.case_id, ledger.run_id
from ledger join cases using (case_id)
where ledger.case_id = any($1::text[]) and ledger.kind not in ('case:terminated', 'case:reset')
group by ledger.case_id, ledger.run_id, cases.ended
having not exists (select from archive where archive.run_id = ledger.run_id and archive.closed_at is not null)
   and (cases.ended or max(ledger.task_at) < (
       select max(newest.task_at) from ledger_of(ledger.case_id) as newest
   ));

-- name: strange_endings
-- Closed runs of a case that did not end by their story, and of which the ledger of their case says nothing yet; what was taken away from it said so.
select archive.case_id, archive.run_id, archive.status, archive.closed_at
from archive join cases using (case_id)
where case
          when cases.first_run_id <> '' then cases.first_run_id = archive.manifest::json ->> 'first_run_id'
          else run_of_case(archive.case_id, archive.run_id, archive.manifest::json ->> 'first_run_id')
      end
  and archive.status in ('terminated', 'failed', 'timed_out', 'canceled') and archive.closed_at is not null
  and not exists (
      select from ledger_of(archive.case_id) as entry
      where entry.run_id = archive.run_id and entry.kind in ('case:terminated', 'case:reset')
  )
  and taken_away_with(archive.case_id) is null
order by archive.closed_at;

-- name: taken_away_with
-- The part of the ledger with which the entries of a case were taken away: nothing is written of it any more.
select taken_away_with($1);

-- name: runs_unknown
-- Of these runs those of whose case the archive has runs, but neither this one nor one that it follows.
select asked.case_id, asked.run_id
from unnest($1::text[], $2::text[]) as asked (case_id, run_id)
where exists (select from archive where archive.case_id = asked.case_id)
  and not exists (
      select from archive
      where archive.case_id = asked.case_id
        and (archive.run_id = asked.run_id or archive.manifest::json ->> 'next_run_id' = asked.run_id)
  );

-- name: lock_head
-- The head of a case, held until the transaction ends; flushes wait for it.
select seq, head_hash, task_at, snapshot, first_run_id from cases where case_id = $1 for update;

-- name: has_mark
-- Whether the ledger says already what became of a run.
select exists (
    select from ledger_of($1) where run_id = $2 and kind in ('case:terminated', 'case:reset')
);

-- name: has_entry
-- Whether the ledger has exactly this entry.
select exists (select from ledger_of($1) where seq = $2 and hash = $3);

-- name: tell_case
-- What a case told with an answer, of the row what changed (engine/migrations/20261201000001_told_with_answers.sql).
select tell_case($1, $2::jsonb, $3, $4, $5::jsonb, $6::jsonb, $7, $8, $9);

-- name: mark_head
-- The head of a case after an entry that the archiver wrote.
update cases set seq = $2, head_hash = $3, task_at = greatest(task_at, $4), updated_at = clock_timestamp(),
    snapshot = snapshot || $5::jsonb
where case_id = $1;

-- name: end_case
-- A case whose workflow is gone is nobody's to act on any more; its stage stays as it was.
update cases set ended = true, holder = '', due_at = null, due_clock = null where case_id = $1;

-- name: note_pass
-- A pass has left nothing behind.
insert into archiver_pass (passed_at, closed_until, retention_seconds) values ($1, $2, $3)
on conflict (single) do update set passed_at = excluded.passed_at, retention_seconds = excluded.retention_seconds,
    closed_until = greatest(archiver_pass.closed_until, excluded.closed_until);

-- name: last_pass
-- How far the archiver is.
select passed_at, closed_until, retention_seconds from archiver_pass;

-- name: archive_lag
-- How old the oldest end of a case is that is not archived, and how long the archiver has not come through, in seconds.
select
    coalesce((
        select extract(epoch from clock_timestamp() - min(cases.updated_at))::float8
        from cases
        where cases.ended and not exists (
            select from archive
            where archive.case_id = cases.case_id and archive.closed_at is not null
              and archive.status <> 'continued_as_new'
        )
    ), 0) as behind_seconds,
    extract(epoch from clock_timestamp() - pass.passed_at)::float8 as pass_seconds,
    pass.retention_seconds
from (select) as nothing left join archiver_pass as pass on true;
