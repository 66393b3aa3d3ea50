-- migrate:up

-- A case is one workflow, from its first run on: continued as new or reset, it names the same first run. Whoever starts a copy
-- of a case starts another first run, and nothing that it tells is the case's. Null in rows from before, until their next
-- flush; those of cases that had ended stay so, and no flush opens them again.
-- '' is set by a restore for cases that began after the histories were copied: they begin once more, as another first run.
alter table cases add column first_run_id text;

-- When a town was put back from its backup: what runs told between the two moments, no history knows any more.
create table restores (
    histories_at  timestamptz not null,
    restored_at   timestamptz not null
);

-- Whether a run may write into a case of which no first run is kept: the ledger or the archive knows it as one of the case's.
create function run_of_case(of_case text, by_run text, by_first_run text) returns boolean language sql stable as $$
    select not exists (select from ledger where case_id = of_case)
        or exists (select from ledger where case_id = of_case and run_id in (by_run, by_first_run))
        or exists (
            select from ledger join archive using (case_id, run_id)
            where ledger.case_id = of_case and archive.manifest::json ->> 'first_run_id' = by_first_run
        )
$$;

drop function flush_case(jsonb, jsonb, jsonb, text, timestamptz);

-- As 20261122000100_flush_repeats.sql, and only by runs of the case: 'foreign' says that another workflow wanted to write.
-- A worker from before names no first run; it is told 'stale', which it knows, where it would be foreign.
create function flush_case(
    told jsonb, entries jsonb, notices jsonb, by_run text, by_task_at timestamptz, by_first_run text default null
)
returns text
language plpgsql as $$
#variable_conflict use_column
declare
    of_case constant text not null = told ->> 'case_id';
    first_seq constant integer not null = entries -> 0 ->> 'seq';
    written cases;
    known cases;
begin
    if first_seq > 1 and not exists (
        select from ledger where case_id = of_case and seq = first_seq - 1 and hash = entries -> 0 ->> 'prev_hash'
    ) then
        return 'broken';
    end if;

    written = jsonb_populate_record(null::cases, told);
    update cases set
        stage = written.stage, area = written.area, department = written.department, holder = written.holder,
        labels = written.labels, opened_at = written.opened_at, closed_at = written.closed_at,
        ended = written.ended, due_at = written.due_at, due_clock = written.due_clock, seq = written.seq,
        head_hash = written.head_hash, clocks = written.clocks, snapshot = written.snapshot,
        involved = written.involved, task_at = by_task_at, updated_at = clock_timestamp(),
        first_run_id = coalesce(nullif(first_run_id, ''), by_first_run)
    where case_id = of_case and task_at <= by_task_at and (
        first_run_id in (by_first_run, '')
        or ((first_run_id is null or by_first_run is null) and run_of_case(of_case, by_run, by_first_run))
    );
    if not found then
        select * into known from cases where case_id = of_case;
        if known.case_id is not null and known.first_run_id not in (by_first_run, '')
            or (known.first_run_id is null or by_first_run is null) and not run_of_case(of_case, by_run, by_first_run)
        then
            return case when by_first_run is null then 'stale' else 'foreign' end;
        end if;
        insert into cases (case_id, procedure, stage, area, department, holder, labels, opened_at, closed_at, ended,
                           due_at, due_clock, seq, head_hash, clocks, snapshot, involved, task_at, first_run_id)
        values (of_case, written.procedure, written.stage, written.area, written.department, written.holder,
                written.labels, written.opened_at, written.closed_at, written.ended, written.due_at, written.due_clock,
                written.seq, written.head_hash, written.clocks, written.snapshot, written.involved, by_task_at, by_first_run)
        on conflict (case_id) do nothing;
        if not found then
            -- A later workflow task has written. What stands there already is told once more by a replay of a task that was
            -- lost together with the word that it had been told: it has been written. Anything else comes too late.
            return case when exists (
                select from ledger
                where case_id = of_case and seq = (entries -> -1 ->> 'seq')::integer and hash = entries -> -1 ->> 'hash'
            ) then 'written' else 'stale' end;
        end if;
    end if;

    insert into ledger (case_id, seq, at, kind, actor, body, prev_hash, hash, run_id, task_at)
    select of_case, seq, at, kind, actor, body, prev_hash, hash, by_run, by_task_at
    from jsonb_to_recordset(entries) as entry (
        seq integer, at timestamptz, kind text, actor text, body text, prev_hash text, hash text
    )
    order by seq
    on conflict (case_id, seq, hash) do nothing;  -- a repeat of the very same one changes nothing

    -- What an attempt that came to nothing wanted told, as far as nobody was told yet; then what is to be told, once.
    delete from outbox where case_id = of_case and seq >= first_seq and delivered_at is null;
    insert into outbox (case_id, seq, position, recipient, template, facts)
    select of_case, first_seq, position, recipient, template, facts
    from jsonb_to_recordset(notices) as notice (position integer, recipient text, template text, facts jsonb)
    order by position
    on conflict (case_id, seq, position) do nothing;

    perform pg_notify('cases', of_case);
    return 'written';
end
$$;

-- migrate:down

drop function flush_case(jsonb, jsonb, jsonb, text, timestamptz, text);
drop function run_of_case;
drop table restores;
alter table cases drop column first_run_id;
