-- migrate:up

-- Who is signed in with a browser (console/sign_in/sessions.py). The cookie holds a random id, the table its SHA-256: who reads
-- the table, or a copy of it, cannot sign in with what it holds. All times are real times.
create table sessions (
    digest         bytea primary key,
    subject        text not null,                     -- the account's code, as tokens name it
    role           text not null,
    department     text,
    area           text,
    identity       text,                              -- whose account it is by the issuer's word: a digest
    token_id       text,
    opened_at      timestamptz not null default clock_timestamp(),
    seen_at        timestamptz not null default clock_timestamp(),   -- written at most once a minute
    expires_at     timestamptz not null,
    ended_at       timestamptz,
    ended_by       text                               -- who ended it: the account itself, or an administrator
);
create index sessions_expired on sessions (expires_at);
create index sessions_of_account on sessions (subject) where ended_at is null;

-- A link that `jiceng login` prints for one sign-in in a local town. Its code stands here as a SHA-256 too.
create table sign_in_links (
    digest         bytea primary key,
    subject        text not null,
    role           text not null,
    department     text,
    area           text,
    identity       text,
    expires_at     timestamptz not null
);

-- migrate:down

drop table sign_in_links;
drop table sessions;
