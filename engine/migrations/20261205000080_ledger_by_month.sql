-- migrate:up

-- Who may do what with a table may do it with the one that takes its name. What is replicated is nobody's but the publication's owner's
-- to say: it is named.
create function carry_over(from_table regclass, to_table regclass) returns void language plpgsql as $$
declare
    each record;
begin
    for each in
        select privilege_type, case grantee when 0 then 'public' else grantee::regrole::text end as grantee, is_grantable
        from pg_class, aclexplode(relacl) where oid = from_table and grantee <> relowner
    loop
        execute format(
            'grant %s on %s to %s%s', each.privilege_type, to_table, each.grantee, case when each.is_grantable then ' with grant option' else '' end
        );
    end loop;
    for each in select pubname from pg_publication_rel join pg_publication on pg_publication.oid = prpubid where prrelid = from_table loop
        raise warning 'the publication % has % and not what comes from now on: alter publication % add table %',
            each.pubname, from_table, each.pubname, to_table;
    end loop;
end
$$;

-- The ledger in partitions: one for each month in which its cases were opened, the first with all from before (`ledger_first`), and one for
-- what belongs to a month that nobody has made (`ledger_other`), so that nobody is refused. An entry lies where the number of its case
-- says, so one of the same place and hash lies in the same partition, and the key of the partition keeps it from standing there twice.
do $$
declare
    bound constant integer not null = (
        select substring(pg_get_constraintdef(oid) from '< (\d+)')::integer
        from pg_constraint where conrelid = 'ledger'::regclass and conname = 'ledger_months'
    );
    each record;
begin
    perform with_brief_lock('lock table ledger in access exclusive mode');
    -- From here on the ledger is locked: names change, no row is touched.
    alter table ledger rename to ledger_first;
    alter index ledger_pkey rename to ledger_first_pkey;
    create table ledger (
        like ledger_first including defaults including storage including compression,
        constraint ledger_seq_check check (seq > 0)
    ) partition by range (case_month(case_id));
    for each in
        select indexrelid::regclass as name, replace(indexrelid::regclass::text, 'ledger_', 'ledger_first_') as new_name,
               regexp_replace(pg_get_indexdef(indexrelid), ' ON \S+ USING', ' ON ledger USING') as made
        from pg_index where indrelid = 'ledger_first'::regclass and not indisprimary
    loop
        execute format('alter index %s rename to %I', each.name, each.new_name);
        execute each.made;
    end loop;
    for each in
        select tgname, regexp_replace(pg_get_triggerdef(oid), ' ON \S+ ', ' ON ledger ') as made
        from pg_trigger where tgrelid = 'ledger_first'::regclass and not tgisinternal and tgname <> 'ledger_only_grows'
    loop
        execute format('drop trigger %I on ledger_first', each.tgname);
        execute each.made;
    end loop;
    create trigger ledger_only_grows before update or delete or truncate on ledger
        for each statement execute function refuse_change_of_ledger();
    alter table ledger enable always trigger ledger_only_grows;
    perform carry_over('ledger_first', 'ledger');
    execute format('alter table ledger attach partition ledger_first for values from (minvalue) to (%s)', bound);
end
$$;

-- A table like a partitioned one, with this key, the guards and the indexes, that can become a partition of it.
create function make_partition(of_table text, partition text, key text) returns void language plpgsql as $$
declare
    each record;
begin
    execute format('create table %I (like %I including defaults including constraints including storage including compression, primary key (%s))', partition, of_table, key);
    for each in
        select substr(relname, length(of_table) + 1) as suffix, substring(pg_get_indexdef(oid) from ' (USING .*)$') as made
        from pg_index join pg_class on oid = indexrelid where indrelid = of_table::regclass
    loop
        execute format('create index %I on %I %s', partition || each.suffix, partition, each.made);
    end loop;
    -- A guard for each statement is not handed down to partitions: each has its own.
    for each in
        select tgname, regexp_replace(pg_get_triggerdef(oid), ' ON \S+ ', format(' ON %I ', partition)) as made
        from pg_trigger where tgrelid = of_table::regclass and tgname like '%\_only\_grow%'
    loop
        execute each.made;
        execute format('alter table %I enable always trigger %I', partition, each.tgname);
    end loop;
end
$$;

select make_partition('ledger', 'ledger_other', 'case_id, seq, hash');
alter table ledger attach partition ledger_other default;

-- What is asked at this moment knows the functions of the old table's type: they stay, under another name, and read the new one as well.
alter function chain_of rename to chain_of_before;
alter function ledger_of rename to ledger_of_before;
create function ledger_of(of_case text) returns setof ledger language sql stable as $$
    select * from ledger where case_month(ledger.case_id) = case_month(of_case) and ledger.case_id = of_case
$$;

-- The chain of a case: from its head back to its first entry, each by its whole key (`offset 0`: else all entries are read for each).
-- A plan for all cases finds the partition when it runs, a plan for one case is made anew each time, which takes five times as long as
-- reading: here as where entries are written, each question is about one case, and Postgres would take the second.
create function chain_of(wanted text) returns setof ledger language plpgsql stable set plan_cache_mode = force_generic_plan as $$
begin
    return query
    with recursive chain as (
        select entry.* from cases cross join lateral (
            select * from ledger_of(wanted) as head where head.seq = cases.seq and head.hash = cases.head_hash offset 0
        ) as entry
        where cases.case_id = wanted
        union all
        select entry.* from chain cross join lateral (
            select * from ledger_of(wanted) as before where before.seq = chain.seq - 1 and before.hash = chain.prev_hash offset 0
        ) as entry
    )
    select * from chain order by chain.seq;
end
$$;
do $$
declare
    name regprocedure;
begin
    for name in select oid from pg_proc where oid = any (
        array['puts_aside', 'run_of_case', 'flush_case', 'put_told', 'write_case', 'tell_case', 'settle_told']::regproc[]
    ) loop
        execute format('alter function %s set plan_cache_mode = force_generic_plan', name);
    end loop;
end
$$;

-- The months of a partition; null of the one for all others. The first one begins with what is no number.
create function months_of(partition oid) returns int4range language sql stable as $$
    select int4range(
        coalesce(substring(bounds from ' FROM \((\d+)\)')::integer, 0), substring(bounds from ' TO \((\d+)\)')::integer
    )
    from (select pg_get_expr(relpartbound, oid) as bounds from pg_class where oid = partition) as said
    where bounds <> 'DEFAULT'
$$;

-- A part for these months, as far as no other part has them: whether one was made. Months of which entries lie among the others already
-- stay there: they are read like any other, and cannot be taken away by themselves. What was taken away
-- (20261205000090_ledger_detached.sql, where the first ones are made) is not made anew.
create function make_ledger_part(first_month integer, before_month integer) returns boolean language plpgsql as $$
#variable_conflict use_variable
declare
    partition constant text not null = 'ledger_' || first_month;
begin
    if exists (
        select from pg_inherits
        where inhparent = 'ledger'::regclass and months_of(inhrelid) && int4range(first_month, before_month)
    ) or exists (
        select from ledger_other where case_month(case_id) >= first_month and case_month(case_id) < before_month
    ) or exists (
        select from ledger_detached as gone
        where int4range(gone.from_month, gone.before_month) && int4range(first_month, before_month)
    ) then
        return false;
    end if;
    perform make_partition('ledger', partition, 'case_id, seq, hash');
    execute format('alter table ledger attach partition %I for values from (%s) to (%s)', partition, first_month, before_month);
    return true;
end
$$;

-- Parts for a month and so many after it; how many were made.
create function make_ledger_months(this_month integer, ahead integer) returns integer language plpgsql as $$
declare
    month integer = this_month;
    following integer;
    made integer = 0;
begin
    perform pg_advisory_xact_lock(hashtextextended('ledger months', 0));
    for step in 0..ahead loop
        following = case when month % 100 >= 12 then month + 89 else month + 1 end;
        made = made + make_ledger_part(month, following)::integer;
        month = following;
    end loop;
    return made;
end
$$;

-- Where a month goes by in a quarter of an hour: a part for what is left of a year, and for those after it; how many were made.
create function make_ledger_years(this_year integer, ahead integer) returns integer language plpgsql as $$
declare
    first_month integer;
    made integer = 0;
begin
    perform pg_advisory_xact_lock(hashtextextended('ledger months', 0));
    for year in this_year..this_year + ahead loop
        first_month = greatest(year * 100 + 1, (
            select max(upper(months_of(inhrelid))) from pg_inherits
            where inhparent = 'ledger'::regclass and months_of(inhrelid) && int4range(year * 100 + 1, year * 100 + 101)
        ));
        if first_month < year * 100 + 13 then
            made = made + make_ledger_part(first_month, year * 100 + 101)::integer;
        end if;
    end loop;
    return made;
end
$$;

-- migrate:down

-- Row for row into one table again: the ledger is locked for as long as that takes.
do $$
declare
    each record;
begin
    lock table ledger in access exclusive mode;
    alter table ledger rename to ledger_partitions;
    create table ledger (
        like ledger_partitions including defaults including constraints, constraint ledger_whole_pkey primary key (case_id, seq, hash)
    );
    insert into ledger select * from ledger_partitions;
    for each in
        select indexrelid::regclass as name, regexp_replace(pg_get_indexdef(indexrelid), ' ON (ONLY )?\S+ USING', ' ON ledger USING') as made
        from pg_index where indrelid = 'ledger_partitions'::regclass
    loop
        execute format('drop index %s', each.name);
        execute each.made;
    end loop;
    for each in
        select tgname, tgenabled, regexp_replace(pg_get_triggerdef(oid), ' ON \S+ ', ' ON ledger ') as made
        from pg_trigger where tgrelid = 'ledger_partitions'::regclass and not tgisinternal
    loop
        execute each.made;
        if each.tgenabled = 'A' then
            execute format('alter table ledger enable always trigger %I', each.tgname);
        end if;
    end loop;
    for each in select oid::regprocedure as name from pg_proc where oid = any (
        array['puts_aside', 'run_of_case', 'flush_case', 'put_told', 'write_case', 'tell_case', 'settle_told']::regproc[]
    ) loop
        execute format('alter function %s reset plan_cache_mode', each.name);
    end loop;
    drop function if exists chain_of_before, ledger_of_before;
    drop function chain_of, ledger_of, make_ledger_months, make_ledger_years, make_ledger_part, make_partition, months_of, carry_over;
    drop table ledger_partitions;
    alter index ledger_whole_pkey rename to ledger_pkey;
end
$$;
create function ledger_of(of_case text) returns setof ledger language sql stable as $$
    select * from ledger where ledger.case_id = of_case
$$;
create function chain_of(wanted text) returns setof ledger language sql stable as $$
    with recursive chain as (
        select ledger.* from ledger join cases using (case_id)
        where ledger.case_id = wanted and ledger.seq = cases.seq and ledger.hash = cases.head_hash
        union all
        select ledger.* from ledger join chain
        on ledger.case_id = chain.case_id and ledger.seq = chain.seq - 1 and ledger.hash = chain.prev_hash
    )
    select * from chain order by seq
$$;
