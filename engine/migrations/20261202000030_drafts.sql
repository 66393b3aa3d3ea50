-- migrate:up

-- A sign-in that was begun and is now in the hands of the issuer (console/sign_in/begun.py). The address that the browser comes back
-- to holds the state, its cookie a secret: here stand their SHA-256. All times are real times.
create table sign_ins_begun (
    digest         bytea primary key,                 -- of the state
    browser        bytea not null,                    -- of the secret in the cookie of the browser that began
    wanted         text not null,                     -- where somebody wanted to go: an address of this site, or blank
    expires_at     timestamptz not null
);
create index sign_ins_begun_expired on sign_ins_begun (expires_at);

-- What somebody has written into a form and not sent yet (console/drafts/drafts.py): closed with a key of its own that is derived
-- from the vault's master key, so that neither the table nor a copy of it can be read.
create table drafts (
    subject        text not null,                     -- whose it is: the account's code
    draft          uuid not null,                     -- made when the form was drawn
    action         text not null,                     -- the address of the form
    master_key_id  text not null,
    nonce          bytea not null,
    ciphertext     bytea not null,
    kept_at        timestamptz not null default clock_timestamp(),
    expires_at     timestamptz not null,
    primary key (subject, draft)
);
create index drafts_expired on drafts (expires_at);

-- migrate:down

drop table drafts;
drop table sign_ins_begun;
