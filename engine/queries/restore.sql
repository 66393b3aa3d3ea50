-- What a restored town has to put right before anybody works in it (docs/operations.md).

-- name: deliver_again
-- What was delivered after the histories were copied: they may not know of it. Known to them, it changes nothing.
update intake set status = 'waiting', answer = null, settled_at = null, leased_until = null
where status = 'delivered' and settled_at > $1;

-- name: skip_numbers
-- Numbers that the lost town may have given out after the backup are never given out again.
insert into case_numbers (procedure, day, last)
select procedure, day, $3 from unnest($1::text[]) as procedure cross join unnest($2::text[]) as day
on conflict (procedure, day) do update set last = case_numbers.last + excluded.last;

-- name: allow_forgetting
-- The archive only grows; a restore alone takes out of it what did not happen any more.
alter table archive disable trigger archive_only_grows;

-- name: forget_endings
-- Runs that had ended after the histories were copied: restored they are open, and end once more.
delete from archive where closed_at > $1;

-- name: forbid_forgetting
-- From here on the archive only grows again.
alter table archive enable trigger archive_only_grows;

-- name: note_restore
-- What runs told in between, no history knows any more: `jiceng audit verify` is told so.
insert into restores (histories_at, restored_at) values ($1, $2);

-- name: begin_again
-- Cases that began after the histories were copied begin once more, as another first run.
update cases set first_run_id = ''
where task_at > $1 and not exists (select from ledger where ledger.case_id = cases.case_id and ledger.task_at <= $1);

-- name: look_again
-- The archiver looks at everything that closed since.
update archiver_pass set closed_until = least(closed_until, $1);

-- name: sign_everybody_out
-- Whoever was signed out after the backup would be signed in again; a backup from before there were sessions has none.
do $$
begin
    if to_regclass('sessions') is not null then
        update sessions set ended_at = clock_timestamp(), ended_by = 'restore' where ended_at is null;
    end if;
end
$$;

-- name: known_cases
-- Every case, of which procedure it is, and how many orders it gave.
select case_id, procedure, jsonb_array_length(coalesce(snapshot -> 'orders', '[]')) as orders from cases;

-- name: heard_reports
-- How many reports of departments were taken in, per case and command.
select case_id, command, count(*) as heard from intake
where kind = 'command' and subject like 'department:%' group by 1, 2;
