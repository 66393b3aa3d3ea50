-- migrate:up

-- Which living case holds what only one may have at a time, and on what others stand with it: a benefit of a person, later a
-- prize, an invoice, a room. `key` says what, in codes and opaque references; `hold` how firmly (schemas/contracts/reservation.py).
-- The rows of a case are written in the transaction that accepts it, and again when it is decided; they are released with
-- the writing that tells of its end, so that they live exactly as long as the case does.
create table reservations (
    place        bigint generated always as identity,   -- who came first: the places of one key are in the order of acceptance
    kind         text not null,
    key          text not null,
    case_id      text not null,
    hold         text not null check (hold in ('own', 'consented', 'counted', 'named')),
    reserved_at  timestamptz not null default clock_timestamp(),
    released_at  timestamptz,
    primary key (kind, key, case_id)
);
create unique index reservations_own on reservations (kind, key) where hold = 'own' and released_at is null;
create index reservations_of_case on reservations (case_id);

-- Whoever asks for keys waits for whoever asked for one of them before, until that transaction has ended; always in one order,
-- so that two who ask for the same ones the other way round do not wait for each other.
create function lock_reservations(of_kind text, keys text[]) returns void language plpgsql as $$
declare
    one text;
begin
    for one in select distinct key from unnest(keys) as key order by key loop
        perform pg_advisory_xact_lock(hashtextextended(of_kind || ' ' || one, 20261128));
    end loop;
end
$$;

-- A case that is over holds nothing; one that a reset has brought back holds what nobody else took meanwhile.
create function release_reservations() returns trigger language plpgsql as $$
begin
    if new.ended or new.closed_at is not null then
        update reservations set released_at = clock_timestamp() where case_id = new.case_id and released_at is null;
    else
        update reservations as mine set released_at = null
        where case_id = new.case_id and released_at is not null
          and (hold <> 'own' or not exists (
              select from reservations as other
              where other.kind = mine.kind and other.key = mine.key and other.hold = 'own' and other.released_at is null
          ));
    end if;
    return null;
end
$$;
create trigger cases_release_reservations after update on cases for each row
    when ((old.ended or old.closed_at is not null) is distinct from (new.ended or new.closed_at is not null))
    execute function release_reservations();

-- The applications and entitlements that live already. Of two that hold the same, the earlier one has it; the other meets it
-- when it is decided next.
insert into reservations (kind, key, case_id, hold)
select 'benefit', key, case_id,
       case when applies and row_number() over (partition by key, applies order by opened_at, case_id) = 1 then 'own'
            when not applies and stage in ('confirmed', 'paying', 'payment_suspended') then 'counted'
            else 'named' end
from (
    select cases.case_id, cases.opened_at, cases.stage, person = snapshot ->> 'reporter' as applies,
           (snapshot ->> 'benefit') || '/' || person as key
    from cases, lateral (
        select snapshot ->> 'reporter' as person
        union select jsonb_array_elements_text(coalesce(snapshot -> 'members', '[]'::jsonb))
    ) as household
    where procedure = 'welfare' and not ended and closed_at is null and person is not null
) as standing
order by opened_at, case_id;

-- migrate:down

drop trigger cases_release_reservations on cases;
drop function release_reservations, lock_reservations;
drop table reservations;
