-- migrate:up

-- The ledger is to lie in partitions by month (docs/decisions/0019-the-ledger-lies-in-months.md). Whoever reads or writes the entries of one
-- case says so by `ledger_of`, which looks into the one partition that can hold them.

-- The month in which a case was opened, by its number: 202612 of `welfare-20261201-000010`, and of its parts; 0 of what is no number, and
-- of one with a month that there is not.
create function case_month(case_id text) returns integer language sql immutable parallel safe as $$
    select case when split_part(case_id, '-', 2) ~ '^[0-9]{4}(0[1-9]|1[0-2])[0-9]{2}$' then left(split_part(case_id, '-', 2), 6)::integer else 0 end
$$;

-- The entries of a case, on its chain or beside it. Postgres puts it into the query that asks: what else is asked goes by the index.
create function ledger_of(of_case text) returns setof ledger language sql stable as $$
    select * from ledger where ledger.case_id = of_case
$$;

-- Do what takes a lock that keeps others out. Who waits for such a lock makes others wait behind: so not for long, and again.
create function with_brief_lock(statement text) returns void language plpgsql as $$
begin
    for attempt in 1..600 loop
        begin
            perform set_config('lock_timeout', '300ms', true);
            execute statement;
            return;
        exception when lock_not_available then
            if attempt = 600 then
                raise exception 'a table was in use for five minutes: end what reads it for so long (a backup?), and try again'
                    using detail = statement;
            end if;
            perform pg_sleep(0.2 + random() / 2);
        end;
    end loop;
end
$$;

create or replace function run_of_case(of_case text, by_run text, by_first_run text) returns boolean language sql stable as $$
    select not exists (select from ledger_of(of_case))
        or exists (select from ledger_of(of_case) where run_id in (by_run, by_first_run))
        or exists (
            select from ledger_of(of_case) join archive using (case_id, run_id)
            where archive.manifest::json ->> 'first_run_id' = by_first_run
        )
$$;

-- The functions that write (20261129000010, 20261201000001, 20261204000040) as they are, but for two phrases: they read by `ledger_of`,
-- and what stands already is known by any unique key, for that of a table in partitions is kept by each partition for itself.
do $$
declare
    known text;
    changed text;
    name regproc;
begin
    foreach name in array array['puts_aside', 'flush_case', 'put_told', 'write_case', 'tell_case', 'settle_told']::regproc[] loop
        known = pg_get_functiondef(name);
        changed = regexp_replace(known, 'from ledger(\s+)where case_id = of_case and', 'from ledger_of(of_case)\1where', 'g');
        changed = regexp_replace(
            changed, 'from ledger as before join (\w+) on before.case_id = of_case and', 'from ledger_of(of_case) as before join \1 on', 'g'
        );
        changed = replace(changed, 'on conflict (case_id, seq, hash) do nothing', 'on conflict do nothing');
        if changed = known or changed ~ 'from ledger\s' then
            raise exception 'the function % does not read the ledger as this migration knows it', name;
        end if;
        execute changed;
    end loop;
end
$$;

-- migrate:down

do $$
declare
    changed text;
    name regproc;
begin
    foreach name in array array['puts_aside', 'flush_case', 'put_told', 'write_case', 'tell_case', 'settle_told']::regproc[] loop
        changed = regexp_replace(
            pg_get_functiondef(name), 'from ledger_of\(of_case\)(\s+)where', 'from ledger\1where case_id = of_case and', 'g'
        );
        changed = regexp_replace(
            changed, 'from ledger_of\(of_case\) as before join (\w+) on', 'from ledger as before join \1 on before.case_id = of_case and', 'g'
        );
        execute regexp_replace(
            changed, '(insert into ledger .*?)on conflict do nothing', '\1on conflict (case_id, seq, hash) do nothing', 's'
        );
    end loop;
end
$$;

create or replace function run_of_case(of_case text, by_run text, by_first_run text) returns boolean language sql stable as $$
    select not exists (select from ledger where case_id = of_case)
        or exists (select from ledger where case_id = of_case and run_id in (by_run, by_first_run))
        or exists (
            select from ledger join archive using (case_id, run_id)
            where ledger.case_id = of_case and archive.manifest::json ->> 'first_run_id' = by_first_run
        )
$$;
drop function ledger_of, case_month, with_brief_lock;
