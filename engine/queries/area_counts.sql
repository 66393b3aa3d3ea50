-- Figures of the map.

-- name: open_by_area
-- Open cases by area, procedure and category, and how many of them are overdue. Who sees which is said as in `matching` of
-- cases.sql: $1 to $3 are area, reporter and department, $4 is town time; $5 and $6 narrow by procedure and category.
select area, procedure, coalesce(category, '') as category, count(*)::integer as open,
       count(*) filter (where due_at <= $4::timestamptz)::integer as overdue
from cases
where not ended
  and ($1::text is null or area = $1
       or (area collate "C" >= $1 || '.' and area collate "C" < $1 || '/'))
  and ($2::text is null or reporter_subject = $2)
  and ($3::text[] is null or involved && $3::text[])
  and ($5::text is null or procedure = $5)
  and ($6::text is null or category = $6)
group by area, procedure, category;
