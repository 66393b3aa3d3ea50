-- migrate:up

-- Our books of what is to come back, by time and by the number of a receipt.
create index ledger_recoveries on ledger (at)
    where kind in ('recovery:demanded', 'recovery:repaid_part', 'recovery:written_off');
create index ledger_receipts on ledger ((body::jsonb -> 'facts' ->> 'receipt')) where kind = 'recovery:repaid_part';

-- migrate:down

drop index ledger_recoveries, ledger_receipts;
