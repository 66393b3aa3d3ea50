-- migrate:up

-- What a case reserves by an activity of its own (schemas/contracts/reserved_units.py), beside what it reserves at the door: once by
-- its purpose. `hold` is `unit` for what one case has at a time, and `share` for `amount` of `of_limit`, which all cases with the key
-- share. What is spent stays so when the case is over, and frees nothing.
alter table reservations drop constraint reservations_hold_check;
alter table reservations
    add constraint reservations_hold_check
        check (hold in ('own', 'stated', 'consented', 'counted', 'named', 'unit', 'share')),
    add column purpose text not null default '',
    add column amount bigint,
    add column of_limit bigint,
    add column spent_at timestamptz,
    add constraint reservations_share_check check (
        (hold = 'share') = (amount is not null) and (amount is null) = (of_limit is null) and amount > 0
    ),
    drop constraint reservations_pkey,
    add primary key (kind, key, case_id, purpose);
create unique index reservations_purpose on reservations (case_id, kind, purpose) where purpose <> '';
create unique index reservations_unit on reservations (kind, key) where hold = 'unit' and released_at is null;

-- Our books of money that cases wait for (schemas/parts/incoming.py), whatever the procedure.
create index ledger_incoming on ledger (at)
    where split_part(kind, ':', 2) = 'incoming' and split_part(kind, ':', 3) = 'came';

-- A case that is over holds nothing but what its own state says is spent. One that a reset has brought back holds what nobody else
-- took meanwhile: a unit that is free, a share that still fits. What it lost, `jiceng audit verify` names.
create or replace function release_reservations() returns trigger language plpgsql as $$
declare
    one record;
begin
    if new.ended or new.closed_at is not null then
        update reservations as mine set spent_at = clock_timestamp()
        where case_id = new.case_id and released_at is null and spent_at is null and exists (
            select from jsonb_array_elements(coalesce(new.snapshot -> 'reserved_units', '[]')) as unit
            where unit ->> 'purpose' = mine.purpose and unit ->> 'standing' = 'spent'
        );
        update reservations set released_at = clock_timestamp()
        where case_id = new.case_id and released_at is null and spent_at is null;
    else
        update reservations set spent_at = null where case_id = new.case_id and spent_at is not null;
        update reservations as mine set released_at = null
        where case_id = new.case_id and released_at is not null and purpose = ''
          and (hold <> 'own' or not exists (
              select from reservations as other
              where other.kind = mine.kind and other.key = mine.key and other.hold = 'own' and other.released_at is null
          ));
        for one in
            select kind, key, mine.purpose, amount, of_limit from reservations as mine
            where case_id = new.case_id and released_at is not null and mine.purpose <> '' and exists (
                select from jsonb_array_elements(coalesce(new.snapshot -> 'reserved_units', '[]')) as unit
                where unit ->> 'purpose' = mine.purpose and unit ->> 'standing' in ('held', 'spent')
            )
            order by kind, key
        loop
            perform lock_reservations(one.kind, array[one.key]);
            update reservations as mine set released_at = null
            where mine.case_id = new.case_id and mine.kind = one.kind and mine.purpose = one.purpose
              and (select coalesce(sum(other.amount), count(*)) from reservations as other
                   where other.kind = one.kind and other.key = one.key and other.released_at is null)
                  <= coalesce(one.of_limit - one.amount, 0);
        end loop;
    end if;
    return null;
end
$$;

-- migrate:down

drop index ledger_incoming;
delete from reservations where purpose <> '';
drop index reservations_unit, reservations_purpose;
alter table reservations
    drop constraint reservations_share_check,
    drop constraint reservations_hold_check,
    drop constraint reservations_pkey,
    drop column purpose, drop column amount, drop column of_limit, drop column spent_at,
    add primary key (kind, key, case_id),
    add constraint reservations_hold_check check (hold in ('own', 'stated', 'consented', 'counted', 'named'));
create or replace function release_reservations() returns trigger language plpgsql as $$
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
