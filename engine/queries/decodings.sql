-- Who had payloads opened at the codec endpoint.

-- name: keep
-- One request; $4 is the SHA-256 of the payloads as they were closed.
insert into decodings (who, role, payloads, digest) values ($1, $2, $3, $4);

-- name: latest
-- A page, the newest first.
select decoding_id as number, at, who, role, payloads, digest from decodings
where ($1::bigint is null or decoding_id < $1) and ($2::text is null or who = $2)
order by decoding_id desc limit $3;
