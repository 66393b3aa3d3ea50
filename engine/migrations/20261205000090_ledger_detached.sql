-- migrate:up

-- Parts of the ledger that were taken away from it (docs/operations.md): what was in them, who took them away and by which clock and years,
-- and since when they are not in `ledger` any more.
create table ledger_detached (
    partition     text primary key,
    from_month    integer not null,
    before_month  integer not null,
    detached_at   timestamptz not null default clock_timestamp(),
    cases         integer not null,
    entries       bigint not null,
    digest        text not null,                      -- entries_digest: over all its entries
    who           text not null,                      -- the account of the machine, and the role of the database
    town_now      timestamptz not null,               -- by the database's clock
    keep_years    jsonb not null,
    exclude using gist (int4range(from_month, before_month) with &&)
);
create trigger ledger_detached_only_grows before update or delete or truncate on ledger_detached
    for each statement execute function refuse_change_of_record();
alter table ledger_detached enable always trigger ledger_detached_only_grows;

-- What a seal holds of such a row. Sealed with it, nobody can say something else of that month later.
create function detached_hash(taken ledger_detached) returns text language sql stable as $$
    select encode(sha256(convert_to(concat_ws(
        ' ', taken.partition, taken.from_month, taken.before_month, extract(epoch from taken.detached_at), taken.cases, taken.entries,
        taken.digest, taken.who, extract(epoch from taken.town_now), taken.keep_years::text
    ), 'UTF8')), 'hex')
$$;
select with_brief_lock(
    'alter table sealed_leaves drop constraint sealed_leaves_kind_check;'
    ' alter table sealed_leaves add constraint sealed_leaves_kind_check check (kind in (''head'', ''run'', ''month'')) not valid'
);

-- A digest over case, number and hash of all entries of a table: of each case first, so that no text is longer than Postgres has them.
create function entries_digest(of_table regclass) returns text language plpgsql stable as $$
declare
    digest text;
begin
    execute format($of_all$
        select encode(sha256(convert_to(coalesce(string_agg(told, chr(10) order by case_id collate "C"), ''), 'UTF8')), 'hex')
        from (
            select case_id, case_id || ' ' || encode(sha256(convert_to(
                string_agg(seq || ' ' || hash, chr(10) order by seq, hash collate "C"), 'UTF8')), 'hex') as told
            from %s group by case_id
        ) as each
    $of_all$, of_table) into digest;
    return digest;
end
$$;

-- The part of the ledger with which the entries of a case were taken away; null while the ledger has a part for its month, whatever the record
-- says.
create function taken_away_with(of_case text) returns text language sql stable as $$
    select partition from ledger_detached
    where from_month <= case_month(of_case) and case_month(of_case) < before_month
      and not exists (select from pg_inherits where inhparent = 'ledger'::regclass and months_of(inhrelid) @> case_month(of_case))
$$;

-- Where a month was taken away, no run begins a case of it anew: that it has no entries does not mean that it never had any.
create or replace function run_of_case(of_case text, by_run text, by_first_run text) returns boolean language sql stable
set plan_cache_mode = force_generic_plan as $$
    select taken_away_with(of_case) is null and (
        not exists (select from ledger_of(of_case))
        or exists (select from ledger_of(of_case) where run_id in (by_run, by_first_run))
        or exists (
            select from ledger_of(of_case) join archive using (case_id, run_id)
            where archive.manifest::json ->> 'first_run_id' = by_first_run
        )
    )
$$;

-- Take the partition of a month away from the ledger, 0 for the first one; the table stays as it is, beside the ledger. Only where all its
-- cases have ended, stand in the archive, and have been closed for the years ($2, by procedure) for which the town keeps them.
--   word     'detached'; or, with nothing changed, 'unknown', 'running' (the month is not over), 'alive', 'unarchived', 'kept', 'untold'
--            (notices wait in the outbox), and how many cases are why
create function detach_ledger_month(
    of_month integer, keep_years jsonb, town_now timestamptz, by_whom text, out word text, out cases integer, out entries bigint
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
    untold integer;
    digest text;
begin
    if partition is null or until is null then
        word = 'unknown';
        return;
    end if;
    if until > to_char(town_now at time zone 'Asia/Shanghai', 'YYYYMM')::integer then
        word = 'running';
        return;
    end if;
    -- From here on its cases tell nothing, and everybody reads: what is counted stays so. Their cases are over, so nobody waits for that.
    perform with_brief_lock(format('lock table %s in share mode', partition));
    execute format('select count(*) from (select distinct case_id from %s) as lies where not exists'
                   ' (select from cases where cases.case_id = lies.case_id)', partition) into alive;
    select alive + count(*) filter (where not ended),
           count(*) filter (where not exists (
               select from archive where archive.case_id = cases.case_id and archive.closed_at is not null
                 and archive.status <> 'continued_as_new')),
           count(*) filter (where coalesce(closed_at, (snapshot ->> 'last_at')::timestamptz, updated_at) + make_interval(
               years => coalesce((keep_years ->> procedure)::integer, 100)) > town_now),
           count(*)
    into alive, unarchived, kept, cases
    from cases where case_month(case_id) >= of_month and case_month(case_id) < until;
    select count(distinct case_id) into untold
    from outbox where delivered_at is null and case_month(case_id) >= of_month and case_month(case_id) < until;
    word = case when alive > 0 then 'alive' when unarchived > 0 then 'unarchived' when kept > 0 then 'kept' when untold > 0 then 'untold' end;
    if word is not null then
        cases = case word when 'alive' then alive when 'unarchived' then unarchived when 'kept' then kept else untold end;
        return;
    end if;
    execute format('select count(*) from %s', partition) into entries;
    digest = entries_digest(partition);

    -- Nobody has asked by them since the migration, and the first partition could not be dropped while they know its type.
    drop function if exists chain_of_before, ledger_of_before;
    -- Now the whole ledger is locked, to the end of the transaction: nothing is counted any more. What comes for that month from now on
    -- would lie among the others and begin its chain anew: the database refuses it. No row there can be of it, so none is looked at.
    perform with_brief_lock(format(
        'alter table ledger detach partition %s;'
        ' alter table ledger_other add constraint %I check (case_month(case_id) not between %s and %s) not valid',
        partition, 'without_' || name, of_month, until - 1
    ));
    insert into ledger_detached (partition, from_month, before_month, cases, entries, digest, who, town_now, keep_years)
    values (name, of_month, until, cases, entries, digest, by_whom || ' as ' || session_user, town_now, keep_years);
    word = 'detached';
end
$$;

-- The entries of a case whose partition was taken away, as long as its table stands in this database or has been put back into it.
create function detached_entries(of_case text) returns setof ledger language plpgsql stable as $$
declare
    gone constant text = taken_away_with(of_case);
begin
    if to_regclass(gone) is not null then
        return query execute format(
            'select case_id, seq, at, kind, actor, body, prev_hash, hash, run_id, task_at, written_at from %I where case_id = $1', gone
        ) using of_case;
    end if;
end
$$;

select make_ledger_months(to_char(now(), 'YYYYMM')::integer, 5);

-- migrate:down

do $$
begin
    if exists (select from ledger_detached) then
        raise exception 'months were taken away from the ledger: without the record of them their cases count as deleted'
            using hint = 'Put each table of ledger_detached back, attach it to the ledger, and take its row out by hand.';
    end if;
end
$$;
create or replace function run_of_case(of_case text, by_run text, by_first_run text) returns boolean language sql stable
set plan_cache_mode = force_generic_plan as $$
    select not exists (select from ledger_of(of_case))
        or exists (select from ledger_of(of_case) where run_id in (by_run, by_first_run))
        or exists (
            select from ledger_of(of_case) join archive using (case_id, run_id)
            where archive.manifest::json ->> 'first_run_id' = by_first_run
        )
$$;
drop function detached_entries, detach_ledger_month, taken_away_with, entries_digest, detached_hash;
drop table ledger_detached;
alter table sealed_leaves drop constraint sealed_leaves_kind_check;
alter table sealed_leaves add constraint sealed_leaves_kind_check check (kind in ('head', 'run'));
