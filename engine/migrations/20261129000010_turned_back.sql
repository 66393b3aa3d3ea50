-- migrate:up

-- A case goes on where it stood. A workflow task that is lost puts aside what it told itself; a reset, what was told since, and its
-- run says that it was made by one. Nothing else does: a run that follows an earlier entry, and would put aside what another run
-- of the case has told, was given the state of an earlier run by somebody who answered for the worker.
create function puts_aside(of_case text, head_seq integer, head text, last_seq integer, last_hash text, by_run text)
returns boolean language sql stable as $$
    with recursive told as (
        select seq, hash, prev_hash, run_id, kind, task_at from ledger where case_id = of_case and seq = head_seq and hash = head
        union all
        select before.seq, before.hash, before.prev_hash, before.run_id, before.kind, before.task_at
        from ledger as before join told on before.case_id = of_case and before.seq = told.seq - 1 and before.hash = told.prev_hash
    ), kept as (
        select seq, hash, prev_hash from ledger where case_id = of_case and seq = last_seq and hash = last_hash
        union all
        select before.seq, before.hash, before.prev_hash
        from ledger as before join kept on before.case_id = of_case and before.seq = kept.seq - 1 and before.hash = kept.prev_hash
    )
    select exists (
        select from told
        where run_id <> by_run and kind not in ('case:terminated', 'case:reset')
          and not exists (select from kept where kept.seq = told.seq and kept.hash = told.hash)
          -- What runs told between backup and restore, no history knows any more.
          and not exists (select from restores where histories_at < told.task_at and told.task_at <= restored_at)
    )
$$;

drop function flush_case(jsonb, jsonb, jsonb, text, timestamptz, text);

-- As 20261128000050_first_run.sql, and 'turned-back' where it puts aside what another run told. A worker from before does not say
-- whether its run was made by a reset, and is not asked.
create function flush_case(
    told jsonb, entries jsonb, notices jsonb, by_run text, by_task_at timestamptz, by_first_run text default null,
    after_reset boolean default true
)
returns text
language plpgsql as $$
#variable_conflict use_column
declare
    of_case constant text not null = told ->> 'case_id';
    first_seq constant integer not null = entries -> 0 ->> 'seq';
    follows constant text not null = entries -> 0 ->> 'prev_hash';
    written cases;
    known cases;
begin
    if first_seq > 1 and not exists (
        select from ledger where case_id = of_case and seq = first_seq - 1 and hash = follows
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
    where case_id = of_case and task_at <= by_task_at
      and case when after_reset or head_hash = follows then true
               else not puts_aside(of_case, seq, head_hash, first_seq - 1, follows, by_run) end
      and (
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
        if known.task_at <= by_task_at then
            return 'turned-back';  -- nothing else keeps a run of the case from writing after the last one that wrote
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

-- Starts that were delivered a moment ago and that the ledger has not heard of are looked at again and again.
create index intake_started on intake (settled_at) where kind = 'start' and status = 'delivered';

-- migrate:down

drop index intake_started;
drop function flush_case(jsonb, jsonb, jsonb, text, timestamptz, text, boolean);
drop function puts_aside;

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
