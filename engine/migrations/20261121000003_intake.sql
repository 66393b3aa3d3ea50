-- migrate:up

-- The numbers of a day's cases, per procedure.
create table case_numbers (
    procedure  text not null,
    day        text not null,
    last       integer not null,
    primary key (procedure, day)
);

-- Everything the town accepted, before it goes to Temporal: delivered exactly once, in order, also when Temporal is away.
-- `payload` holds references, never texts; `body_digest` is keyed, so that a short text cannot be guessed from it.
create table intake (
    intake_id     bigint generated always as identity primary key,
    submission    text not null unique,               -- what a caller follows it by
    kind          text not null check (kind in ('start', 'command')),
    command       text,
    procedure     text not null,
    case_id       text,                               -- null only inside the transaction that allocates it
    subject       text not null,
    scope         text not null,                      -- start: the procedure; command: the case
    key           bytea not null,                     -- keyed digest of the caller's idempotency key
    body_digest   bytea not null,
    command_id    text not null,
    payload       jsonb,
    status        text not null default 'waiting' check (status in ('waiting', 'delivered', 'refused')),
    answer        jsonb,
    attempts      integer not null default 0,
    leased_until  timestamptz,
    received_at   timestamptz not null default clock_timestamp(),
    settled_at    timestamptz,
    unique (subject, scope, key)
);
create index intake_waiting on intake (case_id, intake_id) where status = 'waiting';

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

-- migrate:down

drop table refusals, intake, case_numbers;
