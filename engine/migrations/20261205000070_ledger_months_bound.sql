-- migrate:up transaction:false

-- What stands in the ledger becomes its first partition, with the cases of the year that begins now. That all of it is older than the month
-- after is found out here, beside those who write: the check holds for new entries at once, and reading the old ones locks nobody out.
-- A year, for it holds also where the next migration does not come through, and everybody goes back to the release before: a ledger that
-- has something is to take cases for as long as it may be until the next attempt. An empty one has nobody at work: two months.
-- Each step ends its own transaction, for a lock is held to the end of one. Broken off, it goes on from here. A role with a
-- statement_timeout of its own cannot end the last step: docs/production.md says how.
do $$
declare
    months constant integer not null = case when exists (select from ledger) then 13 else 2 end;
    newest constant integer not null = greatest(
        to_char(now(), 'YYYYMM')::integer,
        coalesce((
            select max(case_month(case_id))
            from (select case_id from cases union all select case_id from ledger) as known
        ), 0)
    );
    -- By numbers, not dates: a case may have any year of four digits.
    after constant integer not null = newest / 100 * 12 + newest % 100 - 1 + months;
begin
    if newest > to_char(now() + interval '1 year', 'YYYYMM')::integer then
        raise warning 'a case has a number of month %: the first partition of the ledger has all until then', newest;
    end if;
    if not exists (select from pg_constraint where conrelid = 'ledger'::regclass and conname = 'ledger_months') then
        perform with_brief_lock(format(
            'alter table ledger add constraint ledger_months'
            ' check (case_month(case_id) is not null and case_month(case_id) < %s) not valid', after / 12 * 100 + after % 12 + 1
        ));
        commit;
    end if;
    perform set_config('statement_timeout', '0', true), set_config('lock_timeout', '0', true);
    alter table ledger validate constraint ledger_months;
end
$$;

-- migrate:down

alter table ledger drop constraint if exists ledger_months;
