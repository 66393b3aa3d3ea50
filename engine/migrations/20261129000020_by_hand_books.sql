-- migrate:up

-- Our books of what was paid by hand, by the month it was paid for: such a payment has no key of the bank with the month in it.
create index ledger_payments_by_hand on ledger ((body::jsonb -> 'facts' ->> 'month'))
    where kind = 'welfare:payment:paid' and body::jsonb -> 'facts' ->> 'key' like 'by-hand-%';
-- Debts that ended without the money, by time.
create index ledger_debts_unresolved on ledger (at) where kind = 'recovery:unresolved';

-- Who consented, or is a minor, and was paid for first counts in the case that was accepted, so that nobody counts in two advances
-- (schemas/welfare_reservations.py); of those that live already, whose number in the household says so.
update reservations as held set hold = 'counted'
from cases, jsonb_array_elements(coalesce(snapshot -> 'household_members', '[]'::jsonb)) as member
where held.case_id = cases.case_id and held.kind = 'benefit' and held.hold = 'named' and held.released_at is null
  and cases.procedure = 'welfare' and not cases.ended and cases.closed_at is null
  and (snapshot -> 'rules' ->> 'pay_first_fen')::bigint > 0 and snapshot ->> 'accepted_at' is not null
  and ((member ->> 'consent') is not null or not (member ->> 'adult')::boolean)
  and split_part(held.key, '/', 2) = snapshot -> 'members' ->> ((member ->> 'number')::int - 1);

-- migrate:down

drop index ledger_debts_unresolved, ledger_payments_by_hand;
