-- migrate:up

-- Our books of payments, by month, which is part of a payment's key.
create index ledger_payments on ledger (split_part(body::jsonb -> 'facts' ->> 'key', '.', 3))
    where kind in ('welfare:payment:paid', 'welfare:payment:returned');

-- migrate:down

drop index ledger_payments;
