-- Leases; limits that bind ordinary owners only; partial files by their names.

-- What 0001 had was made without these limits and is not held against anybody now.
ALTER TABLE job ADD COLUMN limited INTEGER NOT NULL DEFAULT 0 CHECK (limited IN (0, 1));
ALTER TABLE job ADD COLUMN lease_s INTEGER NOT NULL DEFAULT 7776000 CHECK (lease_s BETWEEN 60 AND 4294967295);

ALTER TABLE owner ADD COLUMN jobs_limited INTEGER NOT NULL DEFAULT 0 CHECK (jobs_limited BETWEEN 0 AND jobs_unfinished);
ALTER TABLE owner ADD COLUMN jobs_finished INTEGER NOT NULL DEFAULT 0 CHECK (jobs_finished >= 0);
UPDATE owner SET jobs_finished = (SELECT count(*) FROM job WHERE owner_row = owner.row AND state IN (7, 8));

CREATE INDEX owner_limited ON owner (jobs_limited) WHERE jobs_limited > 0;
-- When each lease ends.  A job that is getting its files their names (work 2) is left to it.
CREATE INDEX job_lease ON job (max(modified_ms, progress_ms) + lease_s * 1000) WHERE state < 7 AND work <> 2;
CREATE INDEX job_finished_of_owner ON job (owner_row, finished_ms) WHERE state IN (7, 8) AND work = 0;
-- Whether a partial file that lies about belongs to any job.
CREATE INDEX file_of_partial ON file (partial) WHERE partial <> '';

DROP TRIGGER job_added;
CREATE TRIGGER job_added AFTER INSERT ON job BEGIN
	UPDATE owner SET
		jobs_unfinished = jobs_unfinished + (new.state < 7),
		jobs_limited = jobs_limited + (new.state < 7 AND new.limited),
		jobs_finished = jobs_finished + (new.state >= 7)
	WHERE row = new.owner_row;
END;

DROP TRIGGER job_moved;
CREATE TRIGGER job_moved AFTER UPDATE OF state ON job WHEN (old.state < 7) <> (new.state < 7) BEGIN
	UPDATE owner SET
		jobs_unfinished = jobs_unfinished + (new.state < 7) - (old.state < 7),
		jobs_limited = jobs_limited + (new.state < 7 AND new.limited) - (old.state < 7 AND old.limited),
		jobs_finished = jobs_finished + (new.state >= 7) - (old.state >= 7)
	WHERE row = new.owner_row;
END;

DROP TRIGGER job_removed;
CREATE TRIGGER job_removed AFTER DELETE ON job BEGIN
	UPDATE owner SET
		jobs_unfinished = jobs_unfinished - (old.state < 7),
		jobs_limited = jobs_limited - (old.state < 7 AND old.limited),
		jobs_finished = jobs_finished - (old.state >= 7)
	WHERE row = old.owner_row;
	DELETE FROM owner
	WHERE row = old.owner_row AND NOT EXISTS (SELECT 1 FROM job WHERE owner_row = old.owner_row);
END;
