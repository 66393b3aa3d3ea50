-- migrate:up

-- Wrong codes slow whoever sends them, not the case whose number they name: else anybody who knows a number - and numbers
-- follow each other - keeps the one who has its code from the case, for ever. A sender is an account or an address, as a keyed
-- digest: an address is personal data, and this is no list of who asked. `code_attempts` is not written any more.
create table code_senders (
    sender         bytea primary key,
    attempts       integer not null,
    pauses_until   timestamptz not null,              -- real time: until then nothing of theirs is judged, nor counted
    ends_at        timestamptz not null               -- real time: then the counting begins anew
);
create index code_senders_ended on code_senders (ends_at);

-- migrate:down

drop table code_senders;
