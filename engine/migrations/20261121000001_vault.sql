-- migrate:up

-- One row per person known to the town. Erasing takes the key and the way to find the person again, and leaves the row.
create table persons (
    person_id      text primary key,
    blind_index    bytea unique,              -- HMAC of one identity; null for a person without one
    wrapped_key    bytea,                     -- the person's own key, closed with a master key
    master_key_id  text not null,
    created_at     timestamptz not null default now(),
    erased_at      timestamptz,
    erased_by      text,
    erasure_basis  text,
    constraint persons_erased_whole check (
        (erased_at is null and wrapped_key is not null and erased_by is null and erasure_basis is null)
        or (erased_at is not null and wrapped_key is null and blind_index is null
            and erased_by is not null and erasure_basis is not null)
    )
);

-- One row per text or set of personal details, closed with the person's key and bound to its own id, person and kind.
create table vault_items (
    item_id     text primary key,
    person_id   text not null references persons,
    kind        text not null check (kind ~ '^[a-z][a-z0-9_]{0,39}$'),
    nonce       bytea,
    ciphertext  bytea,                        -- null once the person is erased
    created_at  timestamptz not null default now(),
    check ((nonce is null) = (ciphertext is null))
);
create index vault_items_of_person on vault_items (person_id);

-- Who read what of whom, and why. Only ever added to.
create table vault_reads (
    read_id    bigint generated always as identity primary key,
    at         timestamptz not null default clock_timestamp(),
    who        text not null,
    role       text not null,
    person_id  text not null references persons,
    item_id    text not null references vault_items,
    purpose    text not null,
    case_id    text
);
create index vault_reads_of_person on vault_reads (person_id, at);
create index vault_reads_of_reader on vault_reads (who, at);

create function refuse_change_of_vault_reads() returns trigger language plpgsql as $$
begin
    raise exception 'vault_reads is only ever added to';
end
$$;
create trigger vault_reads_only_grow before update or delete or truncate on vault_reads
    for each statement execute function refuse_change_of_vault_reads();

-- migrate:down

drop table vault_reads, vault_items, persons;
drop function refuse_change_of_vault_reads;
