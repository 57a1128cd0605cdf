-- The queue: owners, their jobs, and the jobs' files.
--
-- Runs once, inside the migration runner's transaction, which also sets application_id and user_version.
-- Numbers of states, priorities and work are those of core/job.h; the limits of texts are its array sizes.

-- Whose jobs they are.  An owner's key can be half a kilobyte long and most indexes begin with it: kept once.
-- The count makes the quota check of a submit one look-up, however many jobs there are.
CREATE TABLE owner (
	row INTEGER PRIMARY KEY,
	name TEXT NOT NULL UNIQUE CHECK (length(CAST(name AS BLOB)) BETWEEN 1 AND 511),
	jobs_unfinished INTEGER NOT NULL DEFAULT 0 CHECK (jobs_unfinished >= 0)
) STRICT;

-- AUTOINCREMENT: a row's number is never given again, for a client's handle is such a number.
CREATE TABLE job (
	row INTEGER PRIMARY KEY AUTOINCREMENT,
	id TEXT NOT NULL UNIQUE CHECK (length(CAST(id AS BLOB)) = 36),
	key TEXT NOT NULL CHECK (length(CAST(key AS BLOB)) < 256), -- '' is none
	owner_row INTEGER NOT NULL REFERENCES owner (row),
	owner_integrity INTEGER NOT NULL CHECK (owner_integrity BETWEEN 0 AND 4294967295),
	created_ms INTEGER NOT NULL CHECK (created_ms >= 0),

	name TEXT NOT NULL CHECK (length(CAST(name AS BLOB)) < 1024),
	description TEXT NOT NULL CHECK (length(CAST(description AS BLOB)) < 4096),
	priority INTEGER NOT NULL CHECK (priority BETWEEN 0 AND 3),
	auto_complete INTEGER NOT NULL CHECK (auto_complete IN (0, 1)),
	retry_delay_s INTEGER NOT NULL CHECK (retry_delay_s BETWEEN 0 AND 4294967295),
	no_progress_timeout_s INTEGER NOT NULL CHECK (no_progress_timeout_s BETWEEN 0 AND 4294967295),
	max_time_s INTEGER NOT NULL CHECK (max_time_s BETWEEN 0 AND 4294967295),

	state INTEGER NOT NULL CHECK (state BETWEEN 0 AND 8),
	work INTEGER NOT NULL CHECK (work BETWEEN 0 AND 3),
	-- Names, which outlive any renumbering.
	error TEXT NOT NULL CHECK (length(CAST(error AS BLOB)) BETWEEN 1 AND 64),
	error_source TEXT NOT NULL CHECK (length(CAST(error_source AS BLOB)) BETWEEN 1 AND 64),
	error_raw INTEGER NOT NULL,
	error_what TEXT NOT NULL CHECK (length(CAST(error_what AS BLOB)) < 320),
	error_count INTEGER NOT NULL CHECK (error_count BETWEEN 0 AND 4294967295),
	attempts INTEGER NOT NULL CHECK (attempts BETWEEN 0 AND 4294967295),
	modified_ms INTEGER NOT NULL CHECK (modified_ms >= 0),
	finished_ms INTEGER NOT NULL CHECK (finished_ms >= 0),
	state_since_ms INTEGER NOT NULL CHECK (state_since_ms >= 0),
	next_try_ms INTEGER NOT NULL CHECK (next_try_ms >= 0),
	progress_ms INTEGER NOT NULL CHECK (progress_ms >= 0),
	active_ms INTEGER NOT NULL CHECK (active_ms >= 0),

	-- Kept by the triggers below.
	files_total INTEGER NOT NULL DEFAULT 0 CHECK (files_total BETWEEN 0 AND 4294967295),
	files_transferred INTEGER NOT NULL DEFAULT 0 CHECK (files_transferred BETWEEN 0 AND files_total),
	files_published INTEGER NOT NULL DEFAULT 0 CHECK (files_published BETWEEN 0 AND files_transferred),
	files_size_unknown INTEGER NOT NULL DEFAULT 0 CHECK (files_size_unknown BETWEEN 0 AND files_total),
	bytes_total INTEGER NOT NULL DEFAULT 0 CHECK (bytes_total >= 0),
	bytes_transferred INTEGER NOT NULL DEFAULT 0 CHECK (bytes_transferred >= 0)
) STRICT;

CREATE TABLE file (
	row INTEGER PRIMARY KEY,
	job_row INTEGER NOT NULL REFERENCES job (row) ON DELETE CASCADE,
	ordinal INTEGER NOT NULL CHECK (ordinal BETWEEN 0 AND 4294967295),
	url TEXT NOT NULL CHECK (length(CAST(url AS BLOB)) BETWEEN 1 AND 2200),
	path TEXT NOT NULL CHECK (length(CAST(path AS BLOB)) BETWEEN 1 AND 2048),
	path_key TEXT NOT NULL CHECK (length(CAST(path_key AS BLOB)) BETWEEN 1 AND 2048), -- the path as compared
	state INTEGER NOT NULL CHECK (state BETWEEN 0 AND 3),
	bytes_total INTEGER CHECK (bytes_total >= 0), -- NULL: not known yet
	bytes_recorded INTEGER NOT NULL CHECK (bytes_recorded >= 0),
	partial TEXT NOT NULL CHECK (length(CAST(partial AS BLOB)) < 64),
	tag TEXT NOT NULL CHECK (length(CAST(tag AS BLOB)) < 64),
	etag BLOB NOT NULL CHECK (length(etag) < 512), -- a server's bytes, in whatever encoding
	modified BLOB NOT NULL CHECK (length(modified) < 64)
) STRICT;

-- Every question of the engine's has its index, and most hold only the jobs it asks about.
CREATE UNIQUE INDEX job_key ON job (owner_row, key) WHERE key <> '';
CREATE INDEX job_owner ON job (owner_row);
CREATE INDEX job_unfinished ON job (owner_row) WHERE state < 7;
-- In the order they run, with all that is asked of them: those that wait are passed over inside the index.
CREATE INDEX job_runnable
	ON job (owner_row, owner_integrity, priority, created_ms, row, next_try_ms, retry_delay_s) WHERE work <> 0;
CREATE INDEX job_next_try ON job (owner_row, owner_integrity, next_try_ms) WHERE work <> 0;
CREATE INDEX job_active ON job (state) WHERE state IN (1, 2);
CREATE INDEX job_finished ON job (finished_ms) WHERE state IN (7, 8) AND work = 0;

CREATE UNIQUE INDEX file_ordinal ON file (job_row, ordinal);
CREATE UNIQUE INDEX file_path ON file (job_row, path_key);
CREATE INDEX file_state ON file (job_row, state, ordinal);
CREATE INDEX file_partial ON file (job_row, ordinal) WHERE partial <> '' AND state <> 2;

-- A job's counters: one small change for each change of a file.
-- A server may claim any size.  One file counts for 8 TiB (2^43) at most, so that the sums of a million of them
-- still fit, and no server's answer makes a save fail.
CREATE TRIGGER file_added AFTER INSERT ON file BEGIN
	UPDATE job SET
		files_total = files_total + 1,
		files_transferred = files_transferred + (new.state IN (1, 2)),
		files_published = files_published + (new.state = 2),
		files_size_unknown = files_size_unknown + (new.bytes_total IS NULL),
		bytes_total = bytes_total + min(coalesce(new.bytes_total, 0), 8796093022208),
		bytes_transferred = bytes_transferred + min(new.bytes_recorded, 8796093022208)
	WHERE row = new.job_row;
END;

CREATE TRIGGER file_changed AFTER UPDATE OF state, bytes_total, bytes_recorded ON file
WHEN old.state <> new.state OR old.bytes_total IS NOT new.bytes_total
	OR old.bytes_recorded <> new.bytes_recorded
BEGIN
	UPDATE job SET
		files_transferred = files_transferred + (new.state IN (1, 2)) - (old.state IN (1, 2)),
		files_published = files_published + (new.state = 2) - (old.state = 2),
		files_size_unknown = files_size_unknown + (new.bytes_total IS NULL) - (old.bytes_total IS NULL),
		bytes_total = bytes_total
			- min(coalesce(old.bytes_total, 0), 8796093022208) + min(coalesce(new.bytes_total, 0), 8796093022208),
		bytes_transferred = bytes_transferred
			- min(old.bytes_recorded, 8796093022208) + min(new.bytes_recorded, 8796093022208)
	WHERE row = new.job_row;
END;

-- When a whole job goes, it is gone before its files: then this finds nothing to do.
CREATE TRIGGER file_removed AFTER DELETE ON file BEGIN
	UPDATE job SET
		files_total = files_total - 1,
		files_transferred = files_transferred - (old.state IN (1, 2)),
		files_published = files_published - (old.state = 2),
		files_size_unknown = files_size_unknown - (old.bytes_total IS NULL),
		bytes_total = bytes_total - min(coalesce(old.bytes_total, 0), 8796093022208),
		bytes_transferred = bytes_transferred - min(old.bytes_recorded, 8796093022208)
	WHERE row = old.job_row;
END;

CREATE TRIGGER job_added AFTER INSERT ON job WHEN new.state < 7 BEGIN
	UPDATE owner SET jobs_unfinished = jobs_unfinished + 1 WHERE row = new.owner_row;
END;

CREATE TRIGGER job_moved AFTER UPDATE OF state ON job WHEN (old.state < 7) <> (new.state < 7) BEGIN
	UPDATE owner SET jobs_unfinished = jobs_unfinished + (new.state < 7) - (old.state < 7)
	WHERE row = new.owner_row;
END;

-- Who cancels a job may submit it again under the same key.
CREATE TRIGGER job_cancelled AFTER UPDATE OF state ON job WHEN new.state = 8 AND new.key <> '' BEGIN
	UPDATE job SET key = '' WHERE row = new.row;
END;

CREATE TRIGGER job_removed AFTER DELETE ON job BEGIN
	UPDATE owner SET jobs_unfinished = jobs_unfinished - (old.state < 7) WHERE row = old.owner_row;
	DELETE FROM owner
	WHERE row = old.owner_row AND NOT EXISTS (SELECT 1 FROM job WHERE owner_row = old.owner_row);
END;
