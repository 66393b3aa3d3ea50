-- migrate:up transaction:false

-- What stands in the ledger becomes its first partition, with the cases of this month and the next. That all of it is older than the month
-- after is found out here, beside those who write: the check holds for new entries at once, and reading the old ones locks nobody out.
-- Each step ends its own transaction, for a lock is held to the end of one. Broken off, it goes on from here.
do $$
declare
    bound integer = (
        select to_char(greatest(to_date(max(case_month(case_id))::text, 'YYYYMM'), now()) + interval '2 months', 'YYYYMM')::integer
        from (select case_id from cases union all select case_id from ledger) as known where case_month(case_id) > 0
    );
begin
    bound = coalesce(bound, to_char(now() + interval '2 months', 'YYYYMM')::integer);
    if not exists (select from pg_constraint where conrelid = 'ledger'::regclass and conname = 'ledger_months') then
        perform with_brief_lock(format(
            'alter table ledger add constraint ledger_months'
            ' check (case_month(case_id) is not null and case_month(case_id) < %s) not valid', bound
        ));
        commit;
    end if;
    perform set_config('statement_timeout', '0', true), set_config('lock_timeout', '0', true);
    alter table ledger validate constraint ledger_months;
end
$$;

-- migrate:down

alter table ledger drop constraint if exists ledger_months;
