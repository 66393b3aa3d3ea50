-- migrate:up

-- What a case has to tell, in one round trip and one statement: its entries, its row, its notices, and the word to those
-- who wait. Returns 'written'; or, with nothing changed, 'broken': the entry that the first one follows is not in the
-- ledger, or 'stale': a later workflow task has written the row already.
--   told      the row: an object with the columns of `cases`
--   entries   an array of {seq, at, kind, actor, body, prev_hash, hash}, in order
--   notices   an array of {position, recipient, template, facts}
-- The row is locked before anything else, as the archiver locks it when it marks an end (engine/queries/archive.sql).
create function flush_case(told jsonb, entries jsonb, notices jsonb, by_run text, by_task_at timestamptz) returns text
language plpgsql as $$
#variable_conflict use_column
declare
    of_case constant text not null = told ->> 'case_id';
    first_seq constant integer not null = entries -> 0 ->> 'seq';
begin
    if first_seq > 1 and not exists (
        select from ledger where case_id = of_case and seq = first_seq - 1 and hash = entries -> 0 ->> 'prev_hash'
    ) then
        return 'broken';
    end if;

    insert into cases (case_id, procedure, stage, area, department, holder, labels, opened_at, closed_at, ended,
                       due_at, due_clock, seq, head_hash, clocks, snapshot, involved, task_at)
    select case_id, procedure, stage, area, department, holder, labels, opened_at, closed_at, ended,
           due_at, due_clock, seq, head_hash, clocks, snapshot, involved, by_task_at
    from jsonb_populate_record(null::cases, told)
    on conflict (case_id) do update set
        stage = excluded.stage, area = excluded.area, department = excluded.department, holder = excluded.holder,
        labels = excluded.labels, opened_at = excluded.opened_at, closed_at = excluded.closed_at,
        ended = excluded.ended, due_at = excluded.due_at, due_clock = excluded.due_clock, seq = excluded.seq,
        head_hash = excluded.head_hash, clocks = excluded.clocks, snapshot = excluded.snapshot,
        involved = excluded.involved, task_at = excluded.task_at, updated_at = clock_timestamp()
    where cases.task_at <= excluded.task_at;
    if not found then
        return 'stale';
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

drop function flush_case;
