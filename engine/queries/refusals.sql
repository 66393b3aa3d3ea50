-- Attempts that were refused: by the rules, at the door, or for lack of the API's stamp.

-- name: keep
-- One attempt.
insert into refusals (case_id, command, subject, role, department, code, stage) values ($1, $2, $3, $4, $5, $6, $7);
