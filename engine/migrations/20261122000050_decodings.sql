-- Who had payloads of histories opened at the codec endpoint. Only ever added to, also by who says he is a replica.
-- migrate:up

create table decodings (
    decoding_id bigint generated always as identity primary key,
    at          timestamptz not null default clock_timestamp(),
    who         text not null,
    role        text not null,
    payloads    integer not null,
    digest      text not null
);
create index decodings_of_reader on decodings (who, at);

create function refuse_change_of_decodings() returns trigger language plpgsql as $$
begin
    raise exception 'decodings is only ever added to';
end
$$;
create trigger decodings_only_grow before update or delete or truncate on decodings
    for each statement execute function refuse_change_of_decodings();
alter table decodings enable always trigger decodings_only_grow;

-- migrate:down

drop table decodings;
drop function refuse_change_of_decodings;
