-- migrate:up

-- Models of dispatch, each for ever: an entry that names one can be explained years later (docs/dispatch-help.md).
-- A model is canonical JSON, compressed; numbers and grams that several people wrote, nothing that is run.
create table dispatch_models (
    version     integer primary key check (version > 0),   -- counted from 1
    sha256      text not null unique check (sha256 ~ '^[0-9a-f]{64}$'),
    learned_at  timestamptz not null,                      -- town time
    source      text not null check (source in ('cases', 'file')),
    source_sha256 text,                                    -- of the file that it was learned from
    texts       integer not null,                          -- so many it was learned from
    scores      jsonb not null,                            -- on what it had not seen: whole, by category, area, group, probability
    model       bytea not null
);

create function refuse_change_of_dispatch_models() returns trigger language plpgsql as $$
begin
    raise exception 'dispatch_models is only ever added to';
end
$$;
create trigger dispatch_models_only_grow before update or delete or truncate on dispatch_models
    for each statement execute function refuse_change_of_dispatch_models();
alter table dispatch_models enable always trigger dispatch_models_only_grow;

-- migrate:down

drop table dispatch_models;
drop function refuse_change_of_dispatch_models;
