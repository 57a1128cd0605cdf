-- Declared jobs (core/declare): what was applied last.
CREATE TABLE declared (
	row INTEGER PRIMARY KEY,
	name TEXT NOT NULL UNIQUE CHECK (length(CAST(name AS BLOB)) BETWEEN 1 AND 64),
	spec BLOB NOT NULL CHECK (length(spec) BETWEEN 1 AND 1048576), -- what is declared, as core/declare writes it,
	sealed INTEGER NOT NULL CHECK (sealed IN (0, 1)), -- sealed: URLs have secrets in them
	job_row INTEGER REFERENCES job (row) ON DELETE SET NULL, -- that fetches it; NULL: none
	since_ms INTEGER NOT NULL CHECK (since_ms >= 0), -- its moments count from then
	due_ms INTEGER NOT NULL CHECK (due_ms >= 0), -- the next one; 2^63 - 1: never
	set_ms INTEGER NOT NULL CHECK (set_ms >= 0), -- when that was reckoned: later than now, the clock was ahead
	owed INTEGER NOT NULL CHECK (owed IN (0, 1)), -- 1: no job has fetched what cannot be looked at
	seed INTEGER NOT NULL CHECK (seed BETWEEN 0 AND 4294967295), -- where in the spread this machine's moment lies
	versions INTEGER NOT NULL CHECK (versions BETWEEN 0 AND 99),
	keep INTEGER NOT NULL CHECK (keep IN (0, 1)) -- what is there is never replaced
) STRICT;
CREATE INDEX declared_job ON declared (job_row) WHERE job_row IS NOT NULL;

-- What landed of a declared file.
CREATE TABLE declared_file (
	declared_row INTEGER NOT NULL REFERENCES declared (row) ON DELETE CASCADE,
	path TEXT NOT NULL CHECK (length(CAST(path AS BLOB)) BETWEEN 1 AND 2048),
	bytes INTEGER NOT NULL CHECK (bytes >= 0),
	digest TEXT NOT NULL CHECK (length(digest) <= 135), -- as core/digest writes it
	etag BLOB NOT NULL CHECK (length(etag) < 512), -- as a server sent it
	modified_ms INTEGER NOT NULL CHECK (modified_ms BETWEEN 0 AND 253402300799999), -- 0: no server said when
	PRIMARY KEY (declared_row, path)
) STRICT, WITHOUT ROWID;
