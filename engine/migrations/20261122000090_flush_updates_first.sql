-- migrate:up

-- A flush is an update in all cases but a case's first: as one, what lists and indicators ask for is taken out of the row's
-- JSON once. Written as an insert that finds the row there, it was taken out twice: half of what a flush cost.
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
            return 'stale';  -- also for one of two first flushes at the same moment: tried again, it is an update
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

-- The same words in a language whose plans a connection keeps, and that look no further where a clock was never stopped. What they say
-- is defined in 20261121000004_lists.sql.
create or replace function clock_stopped_first(snapshot jsonb, clock text) returns timestamptz
language plpgsql immutable as $$
declare
    facts constant jsonb = snapshot -> 'clocks' -> clock -> 'facts';
begin
    if facts @> '[{"kind": "stopped"}]' then
        return (
            select min((fact ->> 'at')::timestamptz) from jsonb_array_elements(facts) as each (fact)
            where fact ->> 'kind' = 'stopped' and fact ->> 'actor' <> 'engine'
        );
    end if;
    return null;
end
$$;

create or replace function clock_stopped_last(snapshot jsonb, clock text) returns timestamptz
language plpgsql immutable as $$
declare
    facts constant jsonb = snapshot -> 'clocks' -> clock -> 'facts';
begin
    if facts @> '[{"kind": "stopped"}]' then
        return (
            select max((fact ->> 'at')::timestamptz) from jsonb_array_elements(facts) as each (fact)
            where fact ->> 'kind' = 'stopped' and fact ->> 'actor' <> 'engine'
        );
    end if;
    return null;
end
$$;

create or replace function clock_stopped_by_somebody(snapshot jsonb, clock text) returns boolean
language plpgsql immutable as $$
declare
    facts constant jsonb = snapshot -> 'clocks' -> clock -> 'facts';
begin
    if facts @> '[{"kind": "stopped"}]' then
        return (
            select fact ->> 'actor' <> 'engine' from jsonb_array_elements(facts) as each (fact)
            where fact ->> 'kind' = 'stopped' order by (fact ->> 'seq')::integer desc limit 1
        );
    end if;
    return null;
end
$$;

create or replace function clock_kept(clocks jsonb, snapshot jsonb, clock text) returns boolean
language plpgsql immutable as $$
declare
    shown constant jsonb = jsonb_path_query_first(clocks, '$[*] ? (@.name == $clock)', jsonb_build_object('clock', clock));
begin
    return case when (shown ->> 'breached')::boolean then false
                when shown ->> 'status' = 'stopped' then clock_stopped_by_somebody(snapshot, clock) end;
end
$$;

create or replace function clock_warns(clocks jsonb, clock text) returns timestamptz
language plpgsql immutable as $$
declare
    shown constant jsonb = jsonb_path_query_first(clocks, '$[*] ? (@.name == $clock)', jsonb_build_object('clock', clock));
begin
    return (shown ->> 'warning_at')::timestamptz;
end
$$;

-- migrate:down

-- Nothing: the same answers, otherwise worded.
