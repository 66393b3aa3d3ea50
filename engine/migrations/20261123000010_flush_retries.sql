-- migrate:up

-- Whose ledger does not take what it tells: a flush is a local activity, and Temporal shows nothing of its tries. Written by
-- the tries themselves from the fifth on (activities/ledger.py), so that what goes well costs nothing; `since` is the first of
-- those that follow each other. A row that is no longer renewed is past, and stays as it is.
create table flush_retries (
    case_id   text primary key,
    attempts  integer not null,
    since     timestamptz not null default clock_timestamp(),
    tried_at  timestamptz not null default clock_timestamp()
);

-- migrate:down

drop table flush_retries;
