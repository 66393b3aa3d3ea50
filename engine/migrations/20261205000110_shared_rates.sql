-- migrate:up

-- How often an account asks, over all APIs (starter/http/shared_rates.py): whose bucket, as a digest with a key of the town, what is in it, and
-- when it is full again. Unlogged: a count costs no disk, and after a crash all are full.
create unlogged table rates (
    whose     bytea primary key,
    saved     double precision not null,
    drawn     integer not null,                       -- by the latest draw: what it is told
    drawn_at  timestamptz not null,
    full_at   timestamptz not null                    -- from then on it is as if nobody had asked
) with (fillfactor = 50);

-- migrate:down

drop table rates;
