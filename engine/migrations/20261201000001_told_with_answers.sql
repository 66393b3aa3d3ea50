-- migrate:up

-- What a case tells with the answer to a command is written by whoever gets the answer, in the transaction that settles the
-- submission (docs/decisions/0011-the-ledger-follows-the-history.md). It stands in the history by then, so it is never taken
-- back; but it may come late and more than once, by whoever delivers, and beside a flush of the case's own.

-- A short name for the row as its case told it; null where somebody else had a hand in it, and before a case of this time told it.
alter table cases add column row_digest text;

-- Whoever changes a row in another way than its case does makes it nothing that a change may be put onto: a case names its row
-- anew, and only together with another entry or in a later workflow task.
create function row_is_changed() returns trigger language plpgsql as $$
begin
    if new.row_digest is not distinct from old.row_digest
        or (new.head_hash, new.task_at) is not distinct from (old.head_hash, old.task_at)
    then
        new.row_digest = null;
    end if;
    return new;
end
$$;
create trigger row_is_changed before update on cases for each row execute function row_is_changed();

-- Notices as a batch tells them: an array of {seq, position, recipient, template, facts}, without a seq that of the first entry.
create function told_notices(notices jsonb, first_seq integer)
returns table (seq integer, "position" integer, recipient text, template text, facts jsonb, nth bigint)
language sql immutable as $$
    select coalesce(told.seq, first_seq), told.position, told.recipient, told.template, told.facts,
           row_number() over (
               partition by coalesce(told.seq, first_seq), told.recipient, told.template, told.facts order by told.position
           )
    from jsonb_to_recordset(notices) as told (seq integer, position integer, recipient text, template text, facts jsonb)
$$;

-- Those of a case that stand in the outbox from an entry on.
create function outbox_of(of_case text, first_seq integer)
returns table (notice_id bigint, seq integer, recipient text, template text, facts jsonb, delivered_at timestamptz, nth bigint)
language sql stable as $$
    select notice_id, seq, recipient, template, facts, delivered_at,
           row_number() over (partition by seq, recipient, template, facts order by delivered_at nulls last, position)
    from outbox where case_id = of_case and seq >= first_seq
$$;

-- Entries and notices of a case whose row has just been written, and the word to those who wait.
--   entries   an array of {seq, at, kind, actor, body, prev_hash, hash}, in order
--   notices   as told_notices has them
create function put_told(
    of_case text, entries jsonb, notices jsonb, by_run text, by_task_at timestamptz, head text
)
returns void
language plpgsql as $$
#variable_conflict use_column
declare
    first_seq constant integer not null = entries -> 0 ->> 'seq';
begin
    insert into ledger (case_id, seq, at, kind, actor, body, prev_hash, hash, run_id, task_at)
    select of_case, seq, at, kind, actor, body, prev_hash, hash, by_run, by_task_at
    from jsonb_to_recordset(entries) as entry (
        seq integer, at timestamptz, kind text, actor text, body text, prev_hash text, hash text
    )
    order by seq
    on conflict (case_id, seq, hash) do nothing;  -- a repeat of the very same one changes nothing

    -- What an attempt that came to nothing wanted told is taken out, as far as nobody was told yet; what is told once more stays the
    -- notice it was, for somebody may be sending it. Of those with the same words the how-manieth is the same one.
    delete from outbox using (
        select notice_id from outbox_of(of_case, first_seq) as standing
        where delivered_at is null and not exists (
            select from told_notices(notices, first_seq) as told
            where (told.seq, told.recipient, told.template, told.facts, told.nth)
                = (standing.seq, standing.recipient, standing.template, standing.facts, standing.nth)
        )
    ) as gone
    where outbox.notice_id = gone.notice_id;

    -- A place that is taken was a lost attempt's, and somebody was told of that: then behind all others of the entry.
    insert into outbox (case_id, seq, position, recipient, template, facts)
    select of_case, told.seq,
           case when taken.position is null then told.position
                else told.position + 1 + greatest(
                    (select max(position) from outbox where case_id = of_case and seq = told.seq),
                    (select max(each.position) from told_notices(notices, first_seq) as each where each.seq = told.seq)
                ) end,
           told.recipient, told.template, told.facts
    from told_notices(notices, first_seq) as told
    left join outbox as taken on taken.case_id = of_case and taken.seq = told.seq and taken.position = told.position
    where not exists (
        select from outbox_of(of_case, first_seq) as standing
        where (told.seq, told.recipient, told.template, told.facts, told.nth)
            = (standing.seq, standing.recipient, standing.template, standing.facts, standing.nth)
    )
    order by told.seq, told.position;

    -- With the head, so that whoever has just read the very same need not read it again. The first is for an API from before.
    perform pg_notify('cases', of_case);
    perform pg_notify('told', of_case || ' ' || head);
end
$$;

-- As flush_case (20261129000010_turned_back.sql), which stays for workers from before. Of two batches of one workflow task the longer
-- one is the later one: commands that came together have the same time. `told_digest` names the row.
create function write_case(
    told jsonb, entries jsonb, notices jsonb, by_run text, by_task_at timestamptz, by_first_run text, after_reset boolean,
    told_digest text
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
        first_run_id = coalesce(nullif(first_run_id, ''), by_first_run), row_digest = told_digest
    where case_id = of_case and (task_at < by_task_at or task_at = by_task_at and seq <= written.seq)
      and case when after_reset or head_hash = follows or entries @> jsonb_build_array(jsonb_build_object('hash', head_hash))
               then true
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
        if known.task_at < by_task_at or known.task_at = by_task_at and known.seq <= written.seq then
            return 'turned-back';  -- nothing else keeps a run of the case from writing after the last one that wrote
        end if;
        insert into cases (case_id, procedure, stage, area, department, holder, labels, opened_at, closed_at, ended,
                           due_at, due_clock, seq, head_hash, clocks, snapshot, involved, task_at, first_run_id, row_digest)
        values (of_case, written.procedure, written.stage, written.area, written.department, written.holder,
                written.labels, written.opened_at, written.closed_at, written.ended, written.due_at, written.due_clock,
                written.seq, written.head_hash, written.clocks, written.snapshot, written.involved, by_task_at, by_first_run,
                told_digest)
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

    perform put_told(of_case, entries, notices, by_run, by_task_at, written.head_hash);
    return 'written';
end
$$;

-- The same for what a case told with an answer: of the row only what changed since any of those named in `onto`.
--   change    {columns, snapshot, clocks, views}: columns of the row, fields of the snapshot, clocks in it and as shown, by name
-- Returns 'written'; or, with nothing changed, 'broken': the entry that the first one follows is not in the ledger, or 'unlike':
-- the row is none of those, so the case has to tell it whole.
create function tell_case(
    of_case text, change jsonb, onto text[], told_digest text, entries jsonb, notices jsonb, by_run text,
    by_task_at timestamptz, by_first_run text
)
returns text
language plpgsql as $$
#variable_conflict use_column
declare
    known cases;
    changed cases;
begin
    select * into known from cases where case_id = of_case for update;
    if exists (
        select from ledger
        where case_id = of_case and seq = (entries -> -1 ->> 'seq')::integer and hash = entries -> -1 ->> 'hash'
    ) then
        return 'written';
    end if;
    if not exists (
        select from ledger
        where case_id = of_case and seq = (entries -> 0 ->> 'seq')::integer - 1 and hash = entries -> 0 ->> 'prev_hash'
    ) then
        return 'broken';
    end if;
    if known.row_digest is null or known.row_digest <> all (onto) or known.first_run_id is distinct from by_first_run
        or known.task_at > by_task_at
    then
        return 'unlike';
    end if;

    changed = jsonb_populate_record(known, change -> 'columns');
    update cases set
        stage = changed.stage, area = changed.area, department = changed.department, holder = changed.holder,
        labels = changed.labels, opened_at = changed.opened_at, closed_at = changed.closed_at,
        ended = changed.ended, due_at = changed.due_at, due_clock = changed.due_clock, seq = changed.seq,
        head_hash = changed.head_hash, involved = changed.involved,
        clocks = views_after(known.clocks, change -> 'views'),
        snapshot = known.snapshot || (change -> 'snapshot')
            || jsonb_build_object('clocks', known.snapshot -> 'clocks' || (change -> 'clocks')),
        task_at = by_task_at, updated_at = clock_timestamp(), row_digest = told_digest
    where case_id = of_case;
    perform put_told(of_case, entries, notices, by_run, by_task_at, changed.head_hash);
    return 'written';
end
$$;

-- How clocks are shown after a change: those that changed in their places, new ones behind them.
create function views_after(shown jsonb, changed jsonb) returns jsonb language sql immutable as $$
    select case when changed = '{}' then shown else (
        select coalesce(jsonb_agg(coalesce(changed -> (view ->> 'name'), view) order by place), '[]')
        from jsonb_array_elements(shown) with ordinality as each (view, place)
    ) || (
        select coalesce(jsonb_agg(value), '[]') from jsonb_each(changed)
        where not shown @> jsonb_build_array(jsonb_build_object('name', key))
    ) end
$$;

-- A command is delivered, and what its case told with the answer is written: both or neither. Only the latest attempt may
-- settle, and only once; to write is for everybody, and the second time it changes nothing.
--   whole       the row, where the case told all of it; else null, and `change` is as in tell_case
--   word        of write_case or tell_case; nothing is settled unless it is 'written'
--   settled_at  null: another attempt settles it, or has
--   version     of the row as told, and the state in it as every reader gets it, if it is asked for; null where the case has told
--               more since
create function settle_told(
    of_intake bigint, by_attempt integer, with_answer jsonb,
    of_case text, whole jsonb, change jsonb, onto text[], told_digest text, entries jsonb, notices jsonb, by_run text,
    by_task_at timestamptz, by_first_run text, after_reset boolean, with_state boolean,
    out word text, out settled_at timestamptz, out more boolean, out version text, out snapshot text
)
language plpgsql as $$
#variable_conflict use_column
declare
    head constant text not null = entries -> -1 ->> 'hash';
begin
    if by_task_at > clock_timestamp() + interval '1 minute' then
        -- Whoever answered in a worker's place would keep all later tasks from writing: the case is to say itself when it was.
        word = case when exists (
            select from ledger
            where case_id = of_case and seq = (entries -> -1 ->> 'seq')::integer and hash = entries -> -1 ->> 'hash'
        ) then 'written' else 'unlike' end;
    elsif whole is null then
        word = tell_case(of_case, change, onto, told_digest, entries, notices, by_run, by_task_at, by_first_run);
    else
        word = write_case(whole, entries, notices, by_run, by_task_at, by_first_run, after_reset, told_digest);
    end if;
    if word <> 'written' then
        return;
    end if;
    update intake set status = 'delivered', answer = with_answer, settled_at = clock_timestamp(), leased_until = null
    where intake_id = of_intake
      and (attempts = by_attempt and status = 'waiting' or status = 'set_aside')
    returning intake.settled_at into settled_at;
    if not found then
        return;
    end if;
    more = exists (select from intake as behind
                   where behind.case_id = of_case and behind.status = 'waiting' and behind.intake_id <> of_intake);
    select head_hash || ' ' || xmin::text, case when with_state then cases.snapshot::text end into version, snapshot
    from cases where case_id = of_case and head_hash = head and row_digest = told_digest;
end
$$;

-- migrate:down

drop function settle_told;
drop function views_after;
drop function tell_case;
drop function write_case;
drop function put_told;
drop function outbox_of;
drop function told_notices;
drop trigger row_is_changed on cases;
drop function row_is_changed;
alter table cases drop column row_digest;
