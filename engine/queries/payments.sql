-- Payments, as our ledger has them (schemas/contracts/reconciliation.py).

-- name: payments_of_month
-- The entries about payments of a month ($1: `2026-11`) of every procedure that pays ($2) that stand in the chains of their cases:
-- the part that pays says by the same entries what was paid and what came back (schemas/parts/payments.py). What a lost workflow
-- task wrote beside the chain has a rival with the same number; only then is the chain walked.
-- What was paid by hand has no key of the bank: it names its month, and the entitlement and the voucher since two say so.
select case_id, seq, kind, facts ->> 'key' as key, (facts ->> 'amount_fen')::bigint as amount_fen,
       facts ->> 'bank_reference' as bank_reference, facts ->> 'entitlement' as entitlement, facts ->> 'voucher' as voucher
from (
    select ledger.case_id, ledger.seq, ledger.hash, ledger.kind, ledger.body::jsonb -> 'facts' as facts
    from ledger join cases using (case_id)
    where split_part(ledger.kind, ':', 2) = 'payment' and split_part(ledger.kind, ':', 3) in ('paid', 'returned')
      and split_part(ledger.kind, ':', 1) = any($2::text[])
      and split_part(ledger.body::jsonb -> 'facts' ->> 'key', '.', 3) = $1
      and ledger.seq <= cases.seq
    union all
    select ledger.case_id, ledger.seq, ledger.hash, ledger.kind, ledger.body::jsonb -> 'facts'
    from ledger join cases using (case_id)
    where split_part(ledger.kind, ':', 2) = 'payment' and split_part(ledger.kind, ':', 3) = 'paid'
      and split_part(ledger.kind, ':', 1) = any($2::text[])
      and ledger.body::jsonb -> 'facts' ->> 'key' like 'by-hand-%'
      and ledger.body::jsonb -> 'facts' ->> 'month' = $1
      and ledger.seq <= cases.seq
) as entry
where not exists (
          select from ledger_of(entry.case_id) as rival
          where rival.seq = entry.seq and rival.hash <> entry.hash
      )
   or exists (select from chain_of(entry.case_id) as link where link.seq = entry.seq and link.hash = entry.hash)
order by case_id, seq;

-- name: recoveries_of_month
-- What was asked back, came back, was given up and ended without the money from $1 to before $2, what else came in that a case had
-- waited for, and everything that came in under one of these receipts ($3).
select case_id, seq, case when split_part(kind, ':', 2) = 'incoming' then 'incoming:came' else kind end as kind, to_char(at at time zone 'Asia/Shanghai', 'YYYY-MM') as month,
       coalesce(facts ->> 'amount_fen', facts ->> 'left_fen')::bigint as amount_fen, facts ->> 'receipt' as receipt,
       coalesce(facts ->> 'by', '') as by
from (
    select case_id, seq, hash, kind, at, body::jsonb -> 'facts' as facts from ledger
    where kind in ('recovery:demanded', 'recovery:repaid_part', 'recovery:written_off') and at >= $1 and at < $2
    union
    select case_id, seq, hash, kind, at, body::jsonb -> 'facts' from ledger
    where kind = 'recovery:unresolved' and at >= $1 and at < $2
    union
    select case_id, seq, hash, kind, at, body::jsonb -> 'facts' from ledger
    where kind = 'recovery:repaid_part' and body::jsonb -> 'facts' ->> 'receipt' = any($3::text[])
    union
    select case_id, seq, hash, kind, at, body::jsonb -> 'facts' from ledger
    where split_part(kind, ':', 2) = 'incoming' and split_part(kind, ':', 3) = 'came'
      and (at >= $1 and at < $2 or body::jsonb -> 'facts' ->> 'receipt' = any($3::text[]))
) as entry
where exists (select from cases where cases.case_id = entry.case_id and entry.seq <= cases.seq)
  and (not exists (
          select from ledger_of(entry.case_id) as rival
          where rival.seq = entry.seq and rival.hash <> entry.hash
      )
      or exists (select from chain_of(entry.case_id) as link where link.seq = entry.seq and link.hash = entry.hash))
order by case_id, seq;

-- name: undecided_advances
-- The advances of a month ($1) of cases of these procedures ($4), each at its stage ($2), whose own limit, the clock $5, had passed
-- at $3.
select case_id, array_agg(part ->> 'key' order by part ->> 'key') as keys, sum((part ->> 'amount_fen')::bigint)::bigint as amount_fen
from unnest($4::text[], $2::text[], $5::text[]) as undecided (of_procedure, at_stage, clock_name)
join cases on procedure = of_procedure and stage = at_stage,
     jsonb_array_elements(snapshot -> 'paid' -> $1) as part
where not ended and part ->> 'part' = 'first'
  and exists (
      select from jsonb_array_elements(cases.clocks) as clock
      where clock ->> 'name' = clock_name
        and ((clock ->> 'breached')::boolean or (clock ->> 'due_at')::timestamptz <= $3)
  )
group by case_id
order by case_id;

-- name: cases_of_people
-- The cases of these payees that pay ($2), for differences that no case of ours has booked: of people, and of organisations.
select case_id, person from (
    select case_id, coalesce('organisation:' || (snapshot ->> 'carrier'), snapshot ->> 'reporter') as person from cases
    where procedure = any($2::text[])
      and (snapshot ->> 'reporter' = any($1::text[]) or 'organisation:' || (snapshot ->> 'carrier') = any($1::text[]))
) as paid
where person = any($1::text[])
order by case_id;
