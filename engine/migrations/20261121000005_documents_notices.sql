-- migrate:up

-- Documents: what each file is. The file itself lies closed in the object store under its reference; the key that opens it
-- is an item of the vault, closed with the key of the person it belongs to, and gone with them.
create table documents (
    document_id  text primary key references vault_items (item_id),
    person_id    text not null references persons,
    uploader     text not null,                       -- the account that sent it
    file_digest  bytea not null,                      -- keyed: the same file of the same person is found again
    sha256       text not null check (sha256 ~ '^[0-9a-f]{64}$'),
    size_bytes   bigint not null check (size_bytes > 0),
    media_type   text not null,
    received_at  timestamptz not null default clock_timestamp(),
    stored_at    timestamptz,                         -- null: the file is not in the object store yet
    cleared_at   timestamptz,                         -- the file was taken out of the object store after an erasure
    unique (person_id, uploader, file_digest)
);
create index documents_of_uploader on documents (uploader);

-- In which cases a document stands, read from the entries themselves: whoever writes an entry need not think of it.
create table document_cases (
    document_id  text not null,                       -- no foreign key: a flush must not fail over it
    case_id      text not null,
    primary key (document_id, case_id)
);

create function note_documents_of_entry() returns trigger language plpgsql as $$
begin
    insert into document_cases (document_id, case_id)
    select distinct named[1], new.case_id
    from regexp_matches(new.body, '"(document:[0-9A-HJKMNP-TV-Z]{26})"', 'g') as named
    on conflict do nothing;
    return null;
end
$$;
create trigger ledger_notes_documents after insert on ledger
    for each row when (new.body like '%"document:%') execute function note_documents_of_entry();

-- Notices: what of the outbox was brought to whom, by which channel. The outbox may forget a notice of a lost workflow task
-- and get it again; what was told here is known by its place and content, so nobody is told twice.
create table notice_deliveries (
    delivery_id   bigint generated always as identity primary key,
    case_id       text not null,
    seq           integer not null,
    position      integer not null,
    content       text not null,                     -- digest of recipient, template and facts
    channel       text not null,
    recipient     text not null,
    account       text,                              -- a certain person, where the recipient is one: the duty leader
    template      text not null,
    text          text not null,                     -- case number and codes in words, no personal data
    at            timestamptz not null,              -- town time of the entry
    status        text not null default 'waiting' check (status in ('waiting', 'delivered', 'given_up', 'forgotten')),
    attempts      integer not null default 0,
    next_at       timestamptz not null default clock_timestamp(),
    attempted_at  timestamptz,
    settled_at    timestamptz,
    unique (case_id, seq, position, content, channel)
);
create index notice_deliveries_waiting on notice_deliveries (channel, delivery_id) where status = 'waiting';
create index notice_deliveries_shown on notice_deliveries (recipient, delivery_id desc) where channel = 'shown';

-- migrate:down

drop table notice_deliveries;
drop trigger ledger_notes_documents on ledger;
drop function note_documents_of_entry;
drop table document_cases, documents;
