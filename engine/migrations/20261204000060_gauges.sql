-- migrate:up

-- What is known of each gauge by its readings (schemas/contracts/gauges.py): one row a gauge, however often it says something.
create table gauges (
    platform       text not null,
    gauge          text not null,
    state          jsonb not null,
    version        bigint not null default 1,                     -- one more with each change: who read an older one looks again
    last_at        timestamptz not null,                          -- town time of its latest reading
    silent_told_at timestamptz,                                   -- the latest reading after whose silence somebody was asked to mend it
    primary key (platform, gauge)
);
-- Since when each platform speaks without a pause: what has said nothing while its platform was away is not broken.
create table gauge_platforms (
    platform       text primary key,
    heard_at       timestamptz not null,                          -- town time
    speaking_since timestamptz not null
);
create index gauges_by_silence on gauges (platform, last_at);

-- migrate:down

drop table gauges;
drop table gauge_platforms;
