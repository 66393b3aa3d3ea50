-- migrate:up

-- Parts of the ledger that were taken away from it (docs/operations.md): what was in them, and since when it is not in `ledger` any more.
create table ledger_detached (
    partition          text primary key,
    from_month    integer not null,
    before_month  integer not null,
    detached_at   timestamptz not null default clock_timestamp(),
    cases         integer not null,
    entries       bigint not null
);
create trigger ledger_detached_only_grows before update or delete or truncate on ledger_detached
    for each statement execute function refuse_change_of_record();
alter table ledger_detached enable always trigger ledger_detached_only_grows;

-- Take the partition of a month away from the ledger, 0 for the first one; the table stays as it is, beside the ledger. Only where all its
-- cases have ended, stand in the archive, and have been closed for the years ($2, by procedure) for which the town keeps them.
--   word     'detached'; or, with nothing changed, 'unknown', 'running' (the month is not over), 'alive', 'unarchived', 'kept', and
--            how many cases are why
create function detach_ledger_month(
    of_month integer, keep_years jsonb, town_now timestamptz, out word text, out cases integer, out entries bigint
)
language plpgsql as $$
#variable_conflict use_column
declare
    name constant text not null = 'ledger_' || case of_month when 0 then 'first' else of_month::text end;
    partition constant regclass = (
        select inhrelid from pg_inherits where inhparent = 'ledger'::regclass and inhrelid = to_regclass(name)
    );
    bounds constant text = (select pg_get_expr(relpartbound, oid) from pg_class where oid = partition);
    until constant integer = substring(bounds from ' TO \((\d+)\)');
    alive integer;
    unarchived integer;
    kept integer;
    left_over bigint;
begin
    if partition is null or until is null then
        word = 'unknown';
        return;
    end if;
    if until > to_char(town_now at time zone 'Asia/Shanghai', 'YYYYMM')::integer then
        word = 'running';
        return;
    end if;
    execute format('select count(*) from %s', partition) into entries;
    execute format('select count(*) from (select distinct case_id from %s) as lies where not exists'
                   ' (select from cases where cases.case_id = lies.case_id)', partition) into alive;
    select alive + count(*) filter (where not ended),
           count(*) filter (where not exists (
               select from archive where archive.case_id = cases.case_id and archive.closed_at is not null
                 and archive.status <> 'continued_as_new')),
           count(*) filter (where coalesce(closed_at, updated_at) + make_interval(
               years => coalesce((keep_years ->> procedure)::integer, 100)) > town_now),
           count(*)
    into alive, unarchived, kept, cases
    from cases where case_month(case_id) >= of_month and case_month(case_id) < until;
    word = case when alive > 0 then 'alive' when unarchived > 0 then 'unarchived' when kept > 0 then 'kept' end;
    if word is not null then
        cases = case word when 'alive' then alive when 'unarchived' then unarchived else kept end;
        return;
    end if;

    -- Nobody has asked by them since the migration, and the first partition could not be dropped while they know its type.
    drop function if exists chain_of_before, ledger_of_before;
    perform with_brief_lock(format('alter table ledger detach partition %s', partition));
    execute format('select count(*) from %s', partition) into left_over;
    if left_over <> entries then
        raise exception 'a case of month % has written meanwhile', of_month;
    end if;
    insert into ledger_detached (partition, from_month, before_month, cases, entries) values (name, of_month, until, cases, entries);
    word = 'detached';
end
$$;

-- The entries of a case whose partition was taken away, as long as its table stands in this database or has been put back into it.
create function detached_entries(of_case text) returns setof ledger language plpgsql stable as $$
declare
    gone constant text = (
        select partition from ledger_detached where from_month <= case_month(of_case) and case_month(of_case) < before_month
    );
begin
    if to_regclass(gone) is not null and not exists (select from pg_inherits where inhrelid = to_regclass(gone)) then
        return query execute format(
            'select case_id, seq, at, kind, actor, body, prev_hash, hash, run_id, task_at, written_at from %I where case_id = $1', gone
        ) using of_case;
    end if;
end
$$;

-- migrate:down

drop function detached_entries, detach_ledger_month;
drop table ledger_detached;
