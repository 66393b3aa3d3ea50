-- migrate:up

-- Runs that an archiver is storing just now, so that another one stores others. It saves work and decides nothing: a run stands in the
-- archive once whoever stores it. Unlogged: after a crash nobody is at anything.
create unlogged table archive_leases (
    run_id        text primary key,
    holder        text not null,                      -- the archiver that is at it
    leased_until  timestamptz not null                -- nobody else stores it before
);

-- What is done now and then by one of several processes (audit/archive/duties.py).
create table duties (
    duty          text primary key,
    due_at        timestamptz not null,
    holder        text,                               -- the process that is at it
    leased_until  timestamptz                         -- nobody else does it before
);

-- Runs that did not end by their story are few; each pass of an archiver looks for them among all others.
create index archive_strange_endings on archive (closed_at)
    where closed_at is not null and status in ('terminated', 'failed', 'timed_out', 'canceled');

-- migrate:down

drop index archive_strange_endings;
drop table duties, archive_leases;
