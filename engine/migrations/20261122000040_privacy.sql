-- migrate:up

-- The persons whom a text of ours names: by their own reference, or by that of a text or document of theirs.
create function persons_in(words text) returns setof text language sql stable as $$
    select distinct person
    from regexp_matches(words, '"((?:person|text|document):[0-9A-HJKMNP-TV-Z]{26})"', 'g') as named,
         lateral (select coalesce((select person_id from vault_items where item_id = named[1]), named[1]) as person) as of_whom
    where person like 'person:%'
$$;

-- In which cases a person stands, read from what the cases write: whoever writes it need not think of it.
create table person_cases (
    person_id  text not null,                         -- no foreign key: a flush must not fail over it
    case_id    text not null,
    primary key (person_id, case_id)
);

create function note_persons_of_entry() returns trigger language plpgsql as $$
begin
    -- As persons_in says, but here: a function of its own would be planned anew for every entry, which costs more than it does.
    insert into person_cases (person_id, case_id)
    select distinct person, new.case_id
    from regexp_matches(new.body, '"((?:person|text|document):[0-9A-HJKMNP-TV-Z]{26})"', 'g') as named,
         lateral (select coalesce((select person_id from vault_items where item_id = named[1]), named[1]) as person) as of_whom
    where person like 'person:%'
    on conflict do nothing;
    return null;
end
$$;
create trigger ledger_notes_persons after insert on ledger
    for each row when (new.body ~ '"(person|text|document):') execute function note_persons_of_entry();

-- What a case starts with may name people whom no entry names.
create function note_persons_of_case() returns trigger language plpgsql as $$
begin
    insert into person_cases (person_id, case_id) select person, new.case_id from persons_in(new.snapshot::text) as person
    on conflict do nothing;
    return null;
end
$$;
create trigger cases_note_persons after insert on cases for each row execute function note_persons_of_case();

insert into person_cases (person_id, case_id)
select person, case_id from ledger, persons_in(body) as person
union select person, case_id from cases, persons_in(snapshot::text) as person
on conflict do nothing;

-- What was done with persons as such: erased, refused to erase, given out. Chained like the ledger, and only ever added to.
create table privacy_log (
    seq         integer primary key check (seq > 0),
    person_id   text not null,
    kind        text not null,
    body        text not null,                        -- the entry in its canonical form, as it was hashed
    prev_hash   text not null,
    hash        text not null unique,
    written_at  timestamptz not null default clock_timestamp()
);
create index privacy_log_of_person on privacy_log (person_id, seq);

-- Refused attempts and reads of persons are a record too. The guards also hold where a session replays another database's
-- changes (session_replication_role), which would pass by ordinary ones.
alter table refusals alter column case_id drop not null;
create trigger refusals_only_grow before update or delete or truncate on refusals
    for each statement execute function refuse_change_of_record();
create trigger privacy_log_only_grows before update or delete or truncate on privacy_log
    for each statement execute function refuse_change_of_record();
alter table refusals enable always trigger refusals_only_grow;
alter table privacy_log enable always trigger privacy_log_only_grows;
alter table vault_reads enable always trigger vault_reads_only_grow;
alter table ledger enable always trigger ledger_only_grows;

create index refusals_of_subject on refusals (subject, refusal_id);


-- migrate:down

drop index refusals_of_subject;
alter table ledger enable trigger ledger_only_grows;
alter table vault_reads enable trigger vault_reads_only_grow;
drop trigger refusals_only_grow on refusals;
delete from refusals where case_id is null;
alter table refusals alter column case_id set not null;
drop table privacy_log;
drop trigger cases_note_persons on cases;
drop trigger ledger_notes_persons on ledger;
drop function note_persons_of_case, note_persons_of_entry;
drop table person_cases;
drop function persons_in;
