-- migrate:up

-- A flush that outlasts its workflow task is done again when that task is lost, with the time at which it began, though the next
-- flush may have been written meanwhile. It was refused as stale for ever, and its case stood still.
-- Arguments and answer as in 20261122000060_flush_case.sql.
create or replace function flush_case(told jsonb, entries jsonb, notices jsonb, by_run text, by_task_at timestamptz)
returns text
language plpgsql as $$
#variable_conflict use_column
declare
    of_case constant text not null = told ->> 'case_id';
    first_seq constant integer not null = entries -> 0 ->> 'seq';
    written cases;
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
        involved = written.involved, task_at = by_task_at, updated_at = clock_timestamp()
    where case_id = of_case and task_at <= by_task_at;
    if not found then
        insert into cases (case_id, procedure, stage, area, department, holder, labels, opened_at, closed_at, ended,
                           due_at, due_clock, seq, head_hash, clocks, snapshot, involved, task_at)
        values (of_case, written.procedure, written.stage, written.area, written.department, written.holder,
                written.labels, written.opened_at, written.closed_at, written.ended, written.due_at, written.due_clock,
                written.seq, written.head_hash, written.clocks, written.snapshot, written.involved, by_task_at)
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

-- Nothing: what it takes in besides is written already.
