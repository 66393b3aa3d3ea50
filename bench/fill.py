"""Many rows of one real case, for benches that ask what an old town's pages take (bench/growth.py, bench/console.py).

A million in some minutes: what the table's triggers write for a row and what its indexes hold is made once, for all rows.
It is the same as if each row had come by itself.
"""

import json
from collections.abc import Mapping
from typing import Any

import asyncpg

BATCH = 10_000
OPEN = 2_000
INDEX_SECONDS = 600.0

# The newest are open, the others were closed in three days; 50 streets of 20 communities, 14 departments, 150 residents.
# Until yesterday one came every ten minutes: 144 a day, with the numbers that the intake would have given them.
FILL = """
insert into cases (case_id, procedure, stage, area, department, holder, labels, opened_at, closed_at, ended, due_at,
                   due_clock, seq, head_hash, clocks, snapshot, involved, task_at)
select 'incident-' || to_char(day, 'YYYYMMDD') || '-' || lpad((144 - (n - 1) % 144)::text, 6, '0'), 'incident',
       case when is_open then 'handling' else 'closed' end, '900.' || n % 50 || '.' || n % 20, 'department-' || n % 14,
       case when is_open then 'department:department-' || n % 14 else '' end,
       jsonb_build_object('category', 'category-' || n % 9, 'urgency', 'ordinary', 'channel', 'app'), opened,
       case when is_open then null else opened + interval '3 days' end, not is_open,
       case when is_open then now() + (n % 97 - 20) * interval '1 hour' end, case when is_open then 'finish' end, 9,
       $3::text, $4::jsonb, $5::jsonb || jsonb_build_object('reporter_subject', 'resident-' || n % 150),
       array['department-' || n % 14], now()
from generate_series($1::integer, $2::integer) as numbers (n)
     cross join lateral (select n <= $6::integer as is_open, n * interval '10 minutes' as ago) as told
     cross join lateral (select date_trunc('day', now() at time zone 'Asia/Shanghai') - ago as day) as town
     cross join lateral (select day at time zone 'Asia/Shanghai' as opened) as real
"""

_TRIGGERS = ("case_is_searched", "cases_note_persons")
_NUMBERS = "insert into searched_numbers (case_id) select case_id from cases on conflict do nothing"
_PERSONS = """
insert into person_cases (person_id, case_id)
select person, case_id from persons_in($1) as person cross join cases on conflict do nothing
"""
_INDEXES = """
select indexrelid::regclass::text as name, pg_get_indexdef(indexrelid) as made from pg_index
where indrelid in ('cases'::regclass, 'searched_numbers'::regclass, 'person_cases'::regclass) and not indisunique
"""


async def grow(pool: asyncpg.Pool, real: Mapping[str, Any], first: int, last: int) -> None:
    """Cases number `first` to `last`, as rows of `real`; nothing else may be at work in the town meanwhile."""
    snapshot = {name: value for name, value in real["snapshot"].items() if name not in {"charter", "terms"}}
    async with pool.acquire() as connection:
        await connection.execute("set statement_timeout = 0")  # nobody waits for this
        indexes = await connection.fetch(_INDEXES)
        for index in indexes:
            await connection.execute(f"drop index {index['name']}")
        for trigger in _TRIGGERS:
            await connection.execute(f"alter table cases disable trigger {trigger}")
        for begin in range(first, last + 1, BATCH):
            end = min(begin + BATCH - 1, last)
            await connection.execute(FILL, begin, end, real["head_hash"], real["clocks"], snapshot, OPEN)
        await connection.execute(_NUMBERS, timeout=INDEX_SECONDS)
        await connection.execute(_PERSONS, json.dumps(snapshot), timeout=INDEX_SECONDS)
        for trigger in _TRIGGERS:
            await connection.execute(f"alter table cases enable trigger {trigger}")
        for index in indexes:
            await connection.execute(index["made"], timeout=INDEX_SECONDS)
        await connection.execute("vacuum analyze cases, searched_numbers, person_cases", timeout=INDEX_SECONDS)
        await connection.execute("reset statement_timeout")
