-- What is read of cases. Who sees what is decided in schemas/visibility.py; `list_cases` says the same in SQL.

-- name: find_case
-- One row.
select * from cases where case_id = $1;

-- name: list_cases
-- A page of what somebody sees, newest first, from a cursor on.
select * from cases
where ($1::text is null or starts_with(area || '.', $1 || '.'))
  and ($2::text is null or snapshot ->> 'reporter_subject' = $2)
  and ($3::text is null or department = $3
       or snapshot -> 'orders' @> jsonb_build_array(jsonb_build_object('department', $3::text)))
  and ($4::text is null or procedure = $4)
  and ($5::text is null or stage = $5)
  and ($6::text is null or department = $6)
  and ($7::text is null or starts_with(area || '.', $7 || '.'))
  and ($8::text is null or holder = $8)
  and ($9::boolean is null or ended = $9)
  and ($10::boolean is null or $10 = (due_at is not null and due_at <= $11 and not ended))
  and ($12::timestamptz is null or (opened_at, case_id) < ($12, $13))
order by opened_at desc, case_id desc
limit $14;

-- name: entries_after
-- The entries of a case, in order, from a place on.
select body from chain_of($1) where seq > $2 order by seq limit $3;
