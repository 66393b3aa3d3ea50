-- Sign-ins that are in the hands of the issuer (console/sign_in/begun.py). All times are real times.

-- name: begin
-- Somebody goes to the issuer; what nobody came back from is forgotten by the way. Arguments: digest of the state, digest of the
-- browser's secret, where they want to go, for how long.
with swept as (delete from sign_ins_begun where expires_at < clock_timestamp())
insert into sign_ins_begun (digest, browser, wanted, expires_at) values ($1, $2, $3, clock_timestamp() + $4::interval);

-- name: take
-- They come back: once, and in the browser that went. Arguments: digest of the state, digest of the browser's secret.
delete from sign_ins_begun where digest = $1 and browser = $2 and expires_at > clock_timestamp()
returning wanted;
