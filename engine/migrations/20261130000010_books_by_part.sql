-- migrate:up

-- Our books of payments, whatever the procedure: by the month that is part of a payment's key, and by the month that was paid by hand.
create index ledger_books on ledger (split_part(body::jsonb -> 'facts' ->> 'key', '.', 3))
    where split_part(kind, ':', 2) = 'payment' and split_part(kind, ':', 3) in ('paid', 'returned');
create index ledger_books_by_hand on ledger ((body::jsonb -> 'facts' ->> 'month'))
    where split_part(kind, ':', 2) = 'payment' and split_part(kind, ':', 3) = 'paid'
      and body::jsonb -> 'facts' ->> 'key' like 'by-hand-%';
drop index ledger_payments, ledger_payments_by_hand;

-- migrate:down

create index ledger_payments on ledger (split_part(body::jsonb -> 'facts' ->> 'key', '.', 3))
    where kind in ('welfare:payment:paid', 'welfare:payment:returned');
create index ledger_payments_by_hand on ledger ((body::jsonb -> 'facts' ->> 'month'))
    where kind = 'welfare:payment:paid' and body::jsonb -> 'facts' ->> 'key' like 'by-hand-%';
drop index ledger_books, ledger_books_by_hand;
