-- How long a server asked to stay away (Retry-After), where that is why the job waits; how patient the job is;
-- what a file is to be,
-- and where it can be had.

ALTER TABLE job ADD COLUMN profile INTEGER NOT NULL DEFAULT 0 CHECK (profile BETWEEN 0 AND 3);
ALTER TABLE job ADD COLUMN retry_after_s INTEGER NOT NULL DEFAULT 0 CHECK (retry_after_s BETWEEN 0 AND 86400);
ALTER TABLE job ADD COLUMN max_bytes INTEGER NOT NULL DEFAULT 0 CHECK (max_bytes >= 0); -- 0: any
-- The size that the client says the file has; NULL: it does not.  What 0001 had was a hint, and stays one.
ALTER TABLE file ADD COLUMN bytes_stated INTEGER CHECK (bytes_stated >= 0);
-- The digest that it must have, as core/digest writes it; "": any.
ALTER TABLE file ADD COLUMN digest TEXT NOT NULL DEFAULT '' CHECK (length(digest) <= 135);
-- Other URLs that have the same file; which one what is recorded came from, and which gave what no retry mends.
ALTER TABLE file ADD COLUMN mirrors INTEGER NOT NULL DEFAULT 0 CHECK (mirrors BETWEEN 0 AND 8);
ALTER TABLE file ADD COLUMN source INTEGER NOT NULL DEFAULT 0 CHECK (source BETWEEN 0 AND 8);
ALTER TABLE file ADD COLUMN sources_refused INTEGER NOT NULL DEFAULT 0 CHECK (sources_refused BETWEEN 0 AND 511);
ALTER TABLE file ADD COLUMN source_failures INTEGER NOT NULL DEFAULT 0 CHECK (source_failures >= 0);
ALTER TABLE file ADD COLUMN bytes_most INTEGER NOT NULL DEFAULT 0 CHECK (bytes_most >= 0);
CREATE TABLE mirror (
	file_row INTEGER NOT NULL REFERENCES file (row) ON DELETE CASCADE,
	source INTEGER NOT NULL CHECK (source BETWEEN 1 AND 8),
	url TEXT NOT NULL CHECK (length(CAST(url AS BLOB)) BETWEEN 1 AND 2200),
	PRIMARY KEY (file_row, source)
) STRICT, WITHOUT ROWID;

-- Who waited longest comes first.  A job whose next try is farther away than it can be is one whose clock was set back.
DROP INDEX job_runnable;
CREATE INDEX job_runnable ON job (owner_row, owner_integrity, owner_elevated, priority, state_since_ms, row, next_try_ms,
	retry_delay_s, retry_after_s) WHERE work <> 0 AND token_wait = 0 AND state NOT IN (1, 2);
