-- migrate:up

-- The ledger: every fact of every case, chained by hash. Only ever added to.
-- A workflow task that dies after its flush leaves entries behind that the case then tells anew: both stand here, and the
-- chain that counts is the one that leads to `cases.head_hash` (docs/decisions/0001-ledger-as-branches.md).
create table ledger (
    case_id         text not null,
    seq             integer not null check (seq > 0),
    at              timestamptz not null,             -- town time
    kind            text not null,
    actor           text not null,
    body            text not null,                    -- the entry in its canonical form, as it was hashed
    prev_hash       text not null,
    hash            text not null,
    run_id          text not null,                    -- which run of the workflow wrote it
    task_at         timestamptz not null,             -- real time of the workflow task that wrote it
    written_at      timestamptz not null default clock_timestamp(),
    primary key (case_id, seq, hash)
);

create function refuse_change_of_ledger() returns trigger language plpgsql as $$
begin
    raise exception 'the ledger is only ever added to';
end
$$;
create trigger ledger_only_grows before update or delete or truncate on ledger
    for each statement execute function refuse_change_of_ledger();

-- One row per case: what inboxes, lists and indicators read. Made from the ledger's own transaction, never from Temporal.
create table cases (
    case_id     text primary key,
    procedure   text not null,
    stage       text not null,
    area        text not null,
    department  text,
    holder      text not null,
    labels      jsonb not null,
    opened_at   timestamptz not null,
    closed_at   timestamptz,
    ended       boolean not null,
    due_at      timestamptz,
    due_clock   text,
    seq         integer not null,
    head_hash   text not null,
    clocks      jsonb not null,
    snapshot    jsonb not null,
    task_at     timestamptz not null,                 -- real time of the workflow task that wrote it: an older one never wins
    updated_at  timestamptz not null default clock_timestamp()
);
create index cases_by_opening on cases (opened_at desc, case_id desc);
create index cases_by_stage on cases (procedure, stage, opened_at desc, case_id desc);
create index cases_by_department on cases (department, stage, due_at) where not ended;
create index cases_by_due on cases (due_at) where due_at is not null;

-- The chain of a case: from its head back to its first entry.
create function chain_of(wanted text) returns setof ledger language sql stable as $$
    with recursive chain as (
        select ledger.* from ledger join cases using (case_id)
        where ledger.case_id = wanted and ledger.seq = cases.seq and ledger.hash = cases.head_hash
        union all
        select ledger.* from ledger join chain
        on ledger.case_id = chain.case_id and ledger.seq = chain.seq - 1 and ledger.hash = chain.prev_hash
    )
    select * from chain order by seq
$$;

-- What people and departments are to be told; written with the entry that caused it, so nobody is told of what was not.
create table outbox (
    notice_id     bigint generated always as identity primary key,
    case_id       text not null,
    seq           integer not null,                   -- the entry after which it was written
    position      integer not null,
    recipient     text not null,
    template      text not null,
    facts         jsonb not null,
    created_at    timestamptz not null default clock_timestamp(),
    delivered_at  timestamptz,
    unique (case_id, seq, position)
);
create index outbox_waiting on outbox (notice_id) where delivered_at is null;

-- migrate:down

drop function chain_of;
drop table outbox, cases, ledger;
drop function refuse_change_of_ledger;
