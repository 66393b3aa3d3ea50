-- migrate:up

-- What lists, inboxes and indicators ask for, taken out of the row's own JSON as it is written: SQL then reads a narrow
-- row and never opens a snapshot. The functions are immutable because every time in that JSON carries its offset.

-- When a clock was stopped by somebody; what the engine stops when a case ends is nobody's work.
create function clock_stopped_first(snapshot jsonb, clock text) returns timestamptz language sql immutable as $$
    select min((fact ->> 'at')::timestamptz)
    from jsonb_array_elements(snapshot -> 'clocks' -> clock -> 'facts') as facts (fact)
    where fact ->> 'kind' = 'stopped' and fact ->> 'actor' <> 'engine'
$$;
create function clock_stopped_last(snapshot jsonb, clock text) returns timestamptz language sql immutable as $$
    select max((fact ->> 'at')::timestamptz)
    from jsonb_array_elements(snapshot -> 'clocks' -> clock -> 'facts') as facts (fact)
    where fact ->> 'kind' = 'stopped' and fact ->> 'actor' <> 'engine'
$$;

-- Whether it was somebody who stopped a clock last, and not the engine at the end of the case.
create function clock_stopped_by_somebody(snapshot jsonb, clock text) returns boolean language sql immutable as $$
    select fact ->> 'actor' <> 'engine'
    from jsonb_array_elements(snapshot -> 'clocks' -> clock -> 'facts') as facts (fact)
    where fact ->> 'kind' = 'stopped'
    order by (fact ->> 'seq')::integer desc limit 1
$$;

-- Whether a clock was kept: true, false when it was broken or the case ended without it, null while that is open.
create function clock_kept(clocks jsonb, snapshot jsonb, clock text) returns boolean language sql immutable as $$
    select case when (shown ->> 'breached')::boolean then false
                when shown ->> 'status' = 'stopped' then clock_stopped_by_somebody(snapshot, clock) end
    from jsonb_array_elements(clocks) as views (shown) where shown ->> 'name' = clock
$$;

-- When a clock warns.
create function clock_warns(clocks jsonb, clock text) returns timestamptz language sql immutable as $$
    select (shown ->> 'warning_at')::timestamptz
    from jsonb_array_elements(clocks) as views (shown) where shown ->> 'name' = clock
$$;

alter table cases
    add column warns_at timestamptz generated always as (clock_warns(clocks, due_clock)) stored,
    add column category text generated always as (labels ->> 'category') stored,
    add column reporter_subject text generated always as (snapshot ->> 'reporter_subject') stored,
    add column latitude_micro integer generated always as ((snapshot ->> 'latitude_micro')::integer) stored,
    add column longitude_micro integer generated always as ((snapshot ->> 'longitude_micro')::integer) stored,
    add column responded_at timestamptz generated always as (clock_stopped_first(snapshot, 'respond')) stored,
    add column finished_at timestamptz generated always as (clock_stopped_last(snapshot, 'finish')) stored,
    add column respond_kept boolean generated always as (clock_kept(clocks, snapshot, 'respond')) stored,
    add column finish_kept boolean generated always as (clock_kept(clocks, snapshot, 'finish')) stored,
    add column rated boolean generated always as (clock_stopped_by_somebody(snapshot, 'rate')) stored,
    add column solved text generated always as (snapshot ->> 'solved') stored,
    add column satisfied text generated always as (snapshot ->> 'satisfied') stored;

-- "infinity" for a case without a due time, so that a list by due time has a place for it: the end.
create index cases_by_due_of_all on cases ((coalesce(due_at, 'infinity')), case_id);
create index cases_by_holder on cases (holder, (coalesce(due_at, 'infinity')), case_id) where holder <> '';
create index cases_by_department_opening on cases (department, opened_at desc, case_id desc);
create index cases_by_area on cases (area collate "C", opened_at desc, case_id desc);
create index cases_by_reporter_subject on cases (reporter_subject, opened_at desc, case_id desc)
    where reporter_subject is not null;
create index cases_by_place on cases (category, latitude_micro) where closed_at is null and not ended;
drop index cases_by_reporter;

-- How often somebody tried a code on a case number, existing or not: guesses stop, and tell nothing.
create table code_attempts (
    case_number  text primary key,
    attempts     integer not null,
    ends_at      timestamptz not null                 -- real time: then the counting begins anew
);
create index code_attempts_ended on code_attempts (ends_at);

-- migrate:down

drop table code_attempts;
create index cases_by_reporter on cases ((snapshot ->> 'reporter_subject'), opened_at desc, case_id desc);
drop index cases_by_place, cases_by_reporter_subject, cases_by_area, cases_by_department_opening, cases_by_holder,
    cases_by_due_of_all;
alter table cases
    drop column warns_at, drop column category, drop column reporter_subject, drop column latitude_micro,
    drop column longitude_micro, drop column responded_at, drop column finished_at, drop column respond_kept,
    drop column finish_kept, drop column rated, drop column solved, drop column satisfied;
drop function clock_warns, clock_kept, clock_stopped_by_somebody, clock_stopped_last, clock_stopped_first;
