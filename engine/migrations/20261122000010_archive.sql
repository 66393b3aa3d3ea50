-- migrate:up

-- The archive: every run of every case as Temporal recorded it, kept when Temporal's retention has taken it. Only ever added
-- to: a run that was archived while it was open (`closed_at` is null) stands beside the closed one.
create table archive (
    case_id        text not null,
    run_id         text not null,
    events         integer not null check (events > 0),
    status         text not null,                     -- how the run ended; 'running' for a copy of an open one
    closed_at      timestamptz,                       -- real time
    sha256         text not null,                     -- of the canonical bytes of the history, before compression
    manifest       text not null,                     -- canonical JSON
    manifest_hash  text not null,
    history        bytea,                             -- zstd; null: it lies in the object store of JICENG_ARCHIVE_URL
    archived_at    timestamptz not null default clock_timestamp(),
    primary key (run_id, events)
);
create unique index archive_closed_once on archive (run_id) where closed_at is not null;
create index archive_by_case on archive (case_id, closed_at);

-- How far the archiver is; one row.
create table archiver_pass (
    single             boolean primary key default true check (single),
    passed_at          timestamptz not null,          -- when the last pass that left nothing behind began
    closed_until       timestamptz,                   -- the latest close that it has seen; it looks from a while before
    retention_seconds  bigint not null                -- of the namespace
);

-- Seals: the root of a Merkle tree over all heads of chains and all archived runs, signed, each holding the one before.
create table seals (
    number     integer primary key check (number > 0),
    body       text not null,                         -- canonical JSON
    signature  text not null,                         -- Ed25519, base64
    hash       text not null                          -- SHA-256 over body and signature: what the next seal holds
);

-- The leaves of all those trees: in which seals each stood, from the first to the last; without a last, in all since.
create table sealed_leaves (
    kind        text not null check (kind in ('head', 'run')),
    case_id     text not null,
    place       text not null,                        -- head: the number of the entry; run: run id / events
    hash        text not null,                        -- head: of the entry; run: of the manifest
    first_seal  integer not null,
    last_seal   integer,
    primary key (case_id, kind, place, hash, first_seal)
);
create index sealed_leaves_live on sealed_leaves (kind) where last_seal is null;

create function refuse_change_of_record() returns trigger language plpgsql as $$
begin
    raise exception '% is only ever added to', tg_table_name;
end
$$;
create trigger archive_only_grows before update or delete or truncate on archive
    for each statement execute function refuse_change_of_record();
create trigger seals_only_grow before update or delete or truncate on seals
    for each statement execute function refuse_change_of_record();
create trigger sealed_leaves_only_grow before delete or truncate on sealed_leaves
    for each statement execute function refuse_change_of_record();
create trigger sealed_leaves_stay before update of kind, case_id, place, hash, first_seal on sealed_leaves
    for each statement execute function refuse_change_of_record();

-- migrate:down

drop table sealed_leaves, seals, archiver_pass, archive;
drop function refuse_change_of_record;
