-- Helper tokens and what belongs to them; the elevation of owners; jobs that change their owner.

-- Administrators is enabled in the tokens of elevated people and of LocalSystem, not in those of the other services'
-- accounts: LocalService, NetworkService, virtual ones (S-1-5-80, and S-1-5-82 of application pools).
ALTER TABLE job ADD COLUMN owner_elevated INTEGER NOT NULL DEFAULT 0 CHECK (owner_elevated IN (0, 1));
UPDATE job SET owner_elevated = 1 WHERE owner_integrity >= 12288 AND owner_row IN (
	SELECT row FROM owner
	WHERE name NOT LIKE 'S-1-5-19%' AND name NOT LIKE 'S-1-5-20%' AND name NOT LIKE 'S-1-5-80-%'
	AND name NOT LIKE 'S-1-5-82-%');
-- How often the job got another owner: what was opened before is void.
ALTER TABLE job ADD COLUMN takeovers INTEGER NOT NULL DEFAULT 0 CHECK (takeovers BETWEEN 0 AND 4294967295);

-- Flags persist; the token never does.  SIDs are those of owners.
ALTER TABLE job ADD COLUMN on_token_loss INTEGER NOT NULL DEFAULT 0 CHECK (on_token_loss IN (0, 1));
ALTER TABLE job ADD COLUMN pinned_helper TEXT NOT NULL DEFAULT '' CHECK (length(CAST(pinned_helper AS BLOB)) < 512);
ALTER TABLE job ADD COLUMN helper_flags INTEGER NOT NULL DEFAULT 0 CHECK (helper_flags BETWEEN 0 AND 3);
ALTER TABLE job ADD COLUMN helper_sid TEXT NOT NULL DEFAULT '' CHECK (length(CAST(helper_sid AS BLOB)) < 512);
ALTER TABLE job ADD COLUMN helper_logon INTEGER NOT NULL DEFAULT 0 CHECK (helper_logon BETWEEN 0 AND 4);
ALTER TABLE job ADD COLUMN token_wait INTEGER NOT NULL DEFAULT 0 CHECK (token_wait IN (0, 1));
ALTER TABLE job ADD COLUMN file_sid TEXT NOT NULL DEFAULT '' CHECK (length(CAST(file_sid AS BLOB)) < 512);
ALTER TABLE job ADD COLUMN network_sid TEXT NOT NULL DEFAULT '' CHECK (length(CAST(network_sid AS BLOB)) < 512);
-- Whose the partial files are (core/access, access_writer): until now the owner's.
ALTER TABLE job ADD COLUMN file_writer TEXT NOT NULL DEFAULT '' CHECK (length(CAST(file_writer AS BLOB)) < 544);
UPDATE job SET file_writer = (SELECT name FROM owner WHERE owner.row = job.owner_row) ||
	printf(' 0x%x%s', owner_integrity, CASE owner_elevated WHEN 1 THEN ' elevated' ELSE '' END);

-- As before, with the owner's elevation, and without the jobs that wait for a token.
DROP INDEX job_runnable;
CREATE INDEX job_runnable ON job (owner_row, owner_integrity, owner_elevated, priority, created_ms, row, next_try_ms,
	retry_delay_s) WHERE work <> 0 AND token_wait = 0;
DROP INDEX job_next_try;
CREATE INDEX job_next_try ON job (owner_row, owner_integrity, owner_elevated, next_try_ms)
	WHERE work <> 0 AND token_wait = 0;
-- Those whose token is to be looked for after a start.
CREATE INDEX job_helped ON job (row) WHERE work <> 0 AND helper_flags <> 0;

-- Who takes a job over from his own plain self stays the owner, but need not be limited any more.
CREATE TRIGGER job_taken AFTER UPDATE OF owner_row, limited ON job
WHEN old.owner_row <> new.owner_row OR old.limited <> new.limited
BEGIN
	UPDATE owner SET
		jobs_unfinished = jobs_unfinished + (new.state < 7),
		jobs_limited = jobs_limited + (new.state < 7 AND new.limited),
		jobs_finished = jobs_finished + (new.state >= 7)
	WHERE row = new.owner_row;
	UPDATE owner SET
		jobs_unfinished = jobs_unfinished - (old.state < 7),
		jobs_limited = jobs_limited - (old.state < 7 AND old.limited),
		jobs_finished = jobs_finished - (old.state >= 7)
	WHERE row = old.owner_row;
	DELETE FROM owner
	WHERE row = old.owner_row AND NOT EXISTS (SELECT 1 FROM job WHERE owner_row = old.owner_row);
END;
