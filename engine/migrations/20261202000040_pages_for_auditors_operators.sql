-- migrate:up

-- Replays that auditors asked for, and what came of each (starter/auditors/replays.py). A replay runs in a process of its own; one
-- that has no end by `given_up_at` broke off with it. All times are real times.
create table replays (
    number       bigint generated always as identity primary key,
    case_id      text not null,
    asked_by     text not null,                       -- the account of the auditor
    asked_at     timestamptz not null default clock_timestamp(),
    given_up_at  timestamptz not null,                -- nothing works at it any more from then on
    ended_at     timestamptz,
    leads        boolean,                             -- it leads where it led; null: it could not be found out
    detail       text,                                -- what was looked at, or where it differs: codes and places, no texts
    check (ended_at is not null or (leads is null and detail is null))
);
create index replays_of_case on replays (case_id, number desc);

-- A notice that was given up stands before operators until one has it sent again or says that it was looked at.
alter table notice_deliveries add column looked_at timestamptz;
create index notice_deliveries_given_up on notice_deliveries (delivery_id) where status = 'given_up' and looked_at is null;

-- Open cases by area, for the map: read from the index alone.
create index cases_open_by_area on cases (area collate "C", procedure, category, due_at) where not ended;

-- Orders that no department's system has stand before operators too.
create index cases_order_refused on cases (updated_at)
    where not ended and closed_at is null and snapshot #>> '{orders,-1,refused}' is not null;

-- migrate:down

drop index cases_order_refused;
drop index cases_open_by_area;
drop index notice_deliveries_given_up;
alter table notice_deliveries drop column looked_at;
drop table replays;
