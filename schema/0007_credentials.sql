-- By which proxy a job asks (core/proxy), and with what it answers whoever asks who it is (core/credentials).  A bit for each target (4 bits each) and scheme, of the
-- job's network identity's own (implicit), and of those with a user and a password (explicit), which are in `credential`.

ALTER TABLE job ADD COLUMN proxy_mode INTEGER NOT NULL DEFAULT 0 CHECK (proxy_mode BETWEEN 0 AND 3); -- BG_JOB_PROXY_USAGE
CREATE TABLE proxy (
	job_row INTEGER PRIMARY KEY REFERENCES job (row) ON DELETE CASCADE, -- of mode 2
	list TEXT NOT NULL CHECK (length(CAST(list AS BLOB)) BETWEEN 1 AND 4000),
	bypass TEXT NOT NULL CHECK (length(CAST(bypass AS BLOB)) <= 4000)
) STRICT;

ALTER TABLE job ADD COLUMN implicit INTEGER NOT NULL DEFAULT 0 CHECK (implicit BETWEEN 0 AND 255);
ALTER TABLE job ADD COLUMN explicit INTEGER NOT NULL DEFAULT 0 CHECK (explicit BETWEEN 0 AND 255);
CREATE TABLE credential (
	job_row INTEGER NOT NULL REFERENCES job (row) ON DELETE CASCADE,
	slot INTEGER NOT NULL CHECK (slot BETWEEN 0 AND 7), -- the number of that bit
	sealed BLOB NOT NULL CHECK (length(sealed) BETWEEN 1 AND 16384), -- platform/secrets; bound to the job
	PRIMARY KEY (job_row, slot)
) STRICT, WITHOUT ROWID;

-- They are gone with the job, which may be looked at for a while.
CREATE TRIGGER job_ended AFTER UPDATE OF state ON job WHEN new.state IN (7, 8) AND new.implicit + new.explicit > 0 BEGIN
	DELETE FROM credential WHERE job_row = new.row;
	UPDATE job SET implicit = 0, explicit = 0 WHERE row = new.row;
END;
