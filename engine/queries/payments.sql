-- Payments, as our ledger has them (schemas/reconciliation.py).

-- name: payments_of_month
-- The entries about payments of a month ($1: `2026-11`) that stand in the chains of their cases. What a lost workflow
-- task wrote beside the chain has a rival with the same number; only then is the chain walked.
select case_id, seq, kind, facts ->> 'key' as key, (facts ->> 'amount_fen')::bigint as amount_fen,
       facts ->> 'bank_reference' as bank_reference
from (
    select ledger.case_id, ledger.seq, ledger.hash, ledger.kind, ledger.body::jsonb -> 'facts' as facts
    from ledger join cases using (case_id)
    where ledger.kind in ('welfare:payment:paid', 'welfare:payment:returned')
      and split_part(ledger.body::jsonb -> 'facts' ->> 'key', '.', 3) = $1
      and ledger.seq <= cases.seq
) as entry
where not exists (
          select from ledger as rival
          where rival.case_id = entry.case_id and rival.seq = entry.seq and rival.hash <> entry.hash
      )
   or exists (select from chain_of(entry.case_id) as link where link.seq = entry.seq and link.hash = entry.hash)
order by case_id, seq;

-- name: cases_of_people
-- The welfare cases of these people, for differences that no case of ours has booked.
select case_id, snapshot ->> 'reporter' as person from cases
where procedure = 'welfare' and snapshot ->> 'reporter' = any($1::text[])
order by case_id;
