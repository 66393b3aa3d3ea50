-- migrate:up

-- The numbers of a day's cases, per procedure.
create table case_numbers (
    procedure  text not null,
    day        text not null,
    last       integer not null,
    primary key (procedure, day)
);

-- Everything the town accepted, before it goes to Temporal: delivered exactly once, in order, also when Temporal is away.
-- `payload` holds references, never texts; key and body are kept as keyed digests, so that neither can be guessed from them.
create table intake (
    intake_id     bigint generated always as identity primary key,
    submission    text not null unique,               -- what a caller follows it by
    kind          text not null check (kind in ('start', 'command')),
    command       text not null,
    procedure     text not null,
    case_id       text,                               -- null only inside the transaction that allocates it
    subject       text not null,
    scope         text not null,                      -- start: the procedure; command: the case
    key           bytea not null,
    body_digest   bytea not null,
    payload       jsonb,
    status        text not null default 'waiting' check (status in ('waiting', 'delivered', 'refused')),
    answer        jsonb,                              -- delivered command: Accepted; refused: Refusal
    attempts      integer not null default 0,         -- also fences: only the latest attempt may settle
    leased_until  timestamptz,                        -- nobody else delivers it before
    received_at   timestamptz not null default clock_timestamp(),
    settled_at    timestamptz,
    unique (subject, scope, key)
);
create index intake_waiting on intake (case_id, intake_id) where status = 'waiting';
create index intake_starts on intake (case_id) where kind = 'start';

-- Attempts that the rules refused: a rejected update leaves nothing in the history.
create table refusals (
    refusal_id   bigint generated always as identity primary key,
    at           timestamptz not null default clock_timestamp(),
    case_id      text not null,
    command      text not null,
    subject      text not null,
    role         text not null,
    department   text,
    code         text not null,
    stage        text not null
);
create index refusals_of_case on refusals (case_id, refusal_id);

-- Who sees a case in lists: residents what they reported, departments what they hold or held.
create index cases_by_reporter on cases ((snapshot ->> 'reporter_subject'), opened_at desc, case_id desc);
create index cases_by_order on cases using gin ((snapshot -> 'orders') jsonb_path_ops);

-- migrate:down

drop index cases_by_order, cases_by_reporter;
drop table refusals, intake, case_numbers;
