-- migrate:up transaction:false

-- As 20261205000070_ledger_months_bound.sql: the readings that stand in `vault_reads` are all of the year that begins now, or older.
do $$
declare
    bound constant timestamptz = date_trunc('month', now() at time zone 'UTC') at time zone 'UTC' 
        + case when exists (select from vault_reads) then interval '13 months' else interval '2 months' end;
begin
    if not exists (select from pg_constraint where conrelid = 'vault_reads'::regclass and conname = 'vault_reads_months') then
        perform with_brief_lock(format(
            'alter table vault_reads add constraint vault_reads_months check (at is not null and at < %L) not valid', bound
        ));
        commit;
    end if;
    perform set_config('statement_timeout', '0', true), set_config('lock_timeout', '0', true);
    alter table vault_reads validate constraint vault_reads_months;
end
$$;

-- migrate:down

alter table vault_reads drop constraint if exists vault_reads_months;
