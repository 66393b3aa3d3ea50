-- migrate:up

-- What somebody without an account has written so far of a report (console/residents/drafts.py). The cookie holds a random
-- secret, the table its SHA-256, and what was written is closed with a key that is made of the secret: who reads the table, or a
-- copy of it, cannot read what stands in it. All times are real times.
create table report_drafts (
    digest         bytea primary key,
    sealed         bytea not null,
    begun_at       timestamptz not null default clock_timestamp(),
    ends_at        timestamptz not null
);
create index report_drafts_ended on report_drafts (ends_at);

-- migrate:down

drop table report_drafts;
