-- migrate:up

-- As 20261201000001_told_with_answers.sql, and silent where the transaction says that somebody tells of it afterwards. A worker or an API
-- from before does not say so, and is told of by its commit, as before.
create or replace function put_told(
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

    -- With the head, so that whoever has just read the very same need not read it again. The first is for an API from before. A commit
    -- with an announcement goes alone, in the whole database: so whoever tells afterwards (engine/store/announcer.py) says so.
    if current_setting('jiceng.announced', true) is distinct from 'later' then
        perform pg_notify('cases', of_case);
        perform pg_notify('told', of_case || ' ' || head);
    end if;
end
$$;

-- migrate:down

create or replace function put_told(
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
