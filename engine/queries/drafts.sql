-- What was written into forms and not sent yet (console/drafts/drafts.py). All times are real times.

-- name: keep
-- Keep a draft, in the place of what was kept of it before; what is too old is forgotten by the way, and of one account what is too
-- many. Arguments: subject, draft, action, id of the master key, nonce, ciphertext, for how long, how many beside it at the most.
with swept as (
    delete from drafts where expires_at < clock_timestamp()
), trimmed as (
    delete from drafts where subject = $1 and draft in (
        select draft from drafts where subject = $1 and draft <> $2 order by kept_at desc offset $8
    )
)
insert into drafts (subject, draft, action, master_key_id, nonce, ciphertext, expires_at)
values ($1, $2, $3, $4, $5, $6, clock_timestamp() + $7::interval)
on conflict (subject, draft) do update set
    action = excluded.action, master_key_id = excluded.master_key_id, nonce = excluded.nonce, ciphertext = excluded.ciphertext,
    kept_at = clock_timestamp(), expires_at = excluded.expires_at
returning expires_at;

-- name: find
-- A draft of an account. Arguments: subject, draft.
select draft, action, master_key_id, nonce, ciphertext, kept_at, expires_at from drafts
where subject = $1 and draft = $2 and expires_at > clock_timestamp();

-- name: of_account
-- All drafts of an account, the latest first; what is too old is forgotten by the way. Argument: subject.
with swept as (delete from drafts where expires_at < clock_timestamp())
select draft, action, master_key_id, nonce, ciphertext, kept_at, expires_at from drafts
where subject = $1 and expires_at > clock_timestamp()
order by kept_at desc;

-- name: drop
-- It was sent, or thrown away. Arguments: subject, draft.
delete from drafts where subject = $1 and draft = $2;
