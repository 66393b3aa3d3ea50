-- migrate:up

-- Who has a seat in a case now, by account, so that lists find it; a case without seats has nothing here.
alter table cases add column participants jsonb generated always as (
    case when snapshot ? 'participants'
         then jsonb_path_query_array(snapshot, '$.participants[*] ? (@.left_at == null).subject') end
) stored;
create index cases_by_participant on cases using gin (participants) where participants is not null;

-- migrate:down

drop index cases_by_participant;
alter table cases drop column participants;
