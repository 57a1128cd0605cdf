-- How a job's attempts to fetch went (core/attempt): those that went alike are one.
CREATE TABLE attempt (
	job_row INTEGER NOT NULL REFERENCES job (row) ON DELETE CASCADE,
	number INTEGER NOT NULL CHECK (number BETWEEN 0 AND 4294967295),
	count INTEGER NOT NULL CHECK (count BETWEEN 1 AND 4294967295),
	file INTEGER NOT NULL CHECK (file BETWEEN 0 AND 4294967295), -- ordinal
	first_ms INTEGER NOT NULL CHECK (first_ms >= 0),
	last_ms INTEGER NOT NULL CHECK (last_ms >= 0),
	url TEXT NOT NULL CHECK (length(CAST(url AS BLOB)) < 256), -- redacted
	proxy TEXT NOT NULL CHECK (length(CAST(proxy AS BLOB)) <= 266),
	proxy_source INTEGER NOT NULL CHECK (proxy_source BETWEEN 0 AND 6),
	sid TEXT NOT NULL CHECK (length(CAST(sid AS BLOB)) < 512),
	tls TEXT NOT NULL CHECK (length(CAST(tls AS BLOB)) < 16),
	words TEXT NOT NULL CHECK (length(CAST(words AS BLOB)) < 200),
	status INTEGER NOT NULL CHECK (status BETWEEN 0 AND 999),
	schemes INTEGER NOT NULL CHECK (schemes BETWEEN 0 AND 65535), -- 4 bits each: offered and used, by server and proxy
	error TEXT NOT NULL CHECK (length(error) <= 64),
	error_source TEXT NOT NULL CHECK (length(error_source) <= 64),
	error_raw INTEGER NOT NULL,
	error_what TEXT NOT NULL CHECK (length(CAST(error_what AS BLOB)) < 320),
	PRIMARY KEY (job_row, number)
) STRICT, WITHOUT ROWID;

-- Header lines that go with a job's requests (core/headers).  Their names may be told, what they say is sealed.
CREATE TABLE headers (
	job_row INTEGER PRIMARY KEY REFERENCES job (row) ON DELETE CASCADE,
	names TEXT NOT NULL CHECK (length(CAST(names AS BLOB)) BETWEEN 1 AND 1023), -- with blanks between
	write_only INTEGER NOT NULL CHECK (write_only IN (0, 1)), -- not even their owner is given them back
	sealed BLOB NOT NULL CHECK (length(sealed) BETWEEN 1 AND 17408) -- platform/secrets; bound to the job
) STRICT;

-- They are gone with the job, which may be looked at for a while.
CREATE TRIGGER headers_end AFTER UPDATE OF state ON job WHEN new.state IN (7, 8) BEGIN
	DELETE FROM headers WHERE job_row = new.row;
END;

-- What stands behind the '?' of a URL is sealed, bound to the job's id; NULL: nothing does, or nothing can be sealed here.
ALTER TABLE file ADD COLUMN query BLOB CHECK (length(query) BETWEEN 1 AND 4096);
ALTER TABLE mirror ADD COLUMN query BLOB CHECK (length(query) BETWEEN 1 AND 4096);
CREATE TRIGGER queries_end AFTER UPDATE OF state ON job WHEN new.state IN (7, 8) BEGIN
	UPDATE mirror SET query = NULL WHERE query IS NOT NULL AND file_row IN (SELECT row FROM file WHERE job_row = new.row);
	UPDATE file SET query = NULL WHERE job_row = new.row AND query IS NOT NULL;
END;

-- What a job asks of its https servers: whether they may send it elsewhere, what of their certificates is ignored (4 bits, core/job),
-- and by which certificate of its own it shows who it is (core/credentials).
ALTER TABLE job ADD COLUMN no_redirects INTEGER NOT NULL DEFAULT 0 CHECK (no_redirects IN (0, 1));
ALTER TABLE job ADD COLUMN tls_ignore INTEGER NOT NULL DEFAULT 0 CHECK (tls_ignore BETWEEN 0 AND 15);
ALTER TABLE job ADD COLUMN client_certificate TEXT NOT NULL DEFAULT '' CHECK (length(CAST(client_certificate AS BLOB)) <= 527);
