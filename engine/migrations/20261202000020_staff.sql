-- migrate:up

-- Filters of lists that staff gave a name (console/staff/saved_filters.py). A filter is codes and days alone: no text of a person
-- can be one. Its name is short and stands here as it was written, for whoever shares it.
create table saved_filters (
    filter_id   bigint generated always as identity primary key,
    owner       text not null,                        -- the account's code, as tokens name it
    role        text not null,
    department  text,
    name        text not null check (length(name) between 1 and 20),
    query       text not null check (length(query) <= 4000),
    shared      boolean not null,                     -- with everybody of the role, of the department where it has one
    created_at  timestamptz not null default clock_timestamp(),
    unique (owner, name)
);
create index saved_filters_shared on saved_filters (role, department) where shared;

-- The newest cases of a category: who had such before (precedents in engine/queries/cases.sql).
create index cases_by_category on cases (procedure, category, opened_at desc, case_id desc) where category is not null;

-- How many tiers a clock has climbed after its breach: what a wall tells of overdue work, without opening the clocks of each.
create function clock_tiers(clocks jsonb, clock text) returns smallint language sql immutable as $$
    select count(*)::smallint
    from jsonb_array_elements(clocks) as views (shown), jsonb_array_elements_text(shown -> 'fired') as moments (moment)
    where shown ->> 'name' = clock and starts_with(moment, 'tier:')
$$;
alter table cases add column due_tier smallint generated always as (clock_tiers(clocks, due_clock)) stored;
create index cases_overdue on cases (due_at) include (holder, procedure, due_clock, due_tier, area)
    where not ended and due_at is not null;

-- migrate:down

drop index cases_overdue;
alter table cases drop column due_tier;
drop function clock_tiers;
drop index cases_by_category;
drop table saved_filters;
