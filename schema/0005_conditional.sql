-- What a client has of a file already (If-None-Match, If-Modified-Since), and the state of a file that is not modified
-- since: 4.  A CHECK cannot be changed, so the table is made anew, and with it `mirror`, which points to it.

CREATE TABLE file_anew (
	row INTEGER PRIMARY KEY,
	job_row INTEGER NOT NULL REFERENCES job (row) ON DELETE CASCADE,
	ordinal INTEGER NOT NULL CHECK (ordinal BETWEEN 0 AND 4294967295),
	url TEXT NOT NULL CHECK (length(CAST(url AS BLOB)) BETWEEN 1 AND 2200),
	path TEXT NOT NULL CHECK (length(CAST(path AS BLOB)) BETWEEN 1 AND 2048),
	path_key TEXT NOT NULL CHECK (length(CAST(path_key AS BLOB)) BETWEEN 1 AND 2048), -- the path as compared
	state INTEGER NOT NULL CHECK (state BETWEEN 0 AND 4),
	bytes_total INTEGER CHECK (bytes_total >= 0), -- NULL: not known yet
	bytes_recorded INTEGER NOT NULL CHECK (bytes_recorded >= 0),
	partial TEXT NOT NULL CHECK (length(CAST(partial AS BLOB)) < 64),
	tag TEXT NOT NULL CHECK (length(CAST(tag AS BLOB)) < 64),
	etag BLOB NOT NULL CHECK (length(etag) < 512), -- a server's bytes, in whatever encoding
	modified BLOB NOT NULL CHECK (length(modified) < 64),
	bytes_stated INTEGER CHECK (bytes_stated >= 0), -- NULL: any
	digest TEXT NOT NULL DEFAULT '' CHECK (length(digest) <= 135), -- '': any
	mirrors INTEGER NOT NULL DEFAULT 0 CHECK (mirrors BETWEEN 0 AND 8),
	source INTEGER NOT NULL DEFAULT 0 CHECK (source BETWEEN 0 AND 8),
	sources_refused INTEGER NOT NULL DEFAULT 0 CHECK (sources_refused BETWEEN 0 AND 511),
	source_failures INTEGER NOT NULL DEFAULT 0 CHECK (source_failures >= 0),
	bytes_most INTEGER NOT NULL DEFAULT 0 CHECK (bytes_most >= 0),
	if_none_match TEXT NOT NULL DEFAULT '' CHECK (length(CAST(if_none_match AS BLOB)) < 512), -- '': not stated
	if_modified_since_ms INTEGER NOT NULL DEFAULT 0 -- 0: not stated
		CHECK (if_modified_since_ms BETWEEN 0 AND 253402300799999)
) STRICT;
INSERT INTO file_anew (row, job_row, ordinal, url, path, path_key, state, bytes_total, bytes_recorded, partial, tag, etag,
	modified, bytes_stated, digest, mirrors, source, sources_refused, source_failures, bytes_most)
SELECT row, job_row, ordinal, url, path, path_key, state, bytes_total, bytes_recorded, partial, tag, etag,
	modified, bytes_stated, digest, mirrors, source, sources_refused, source_failures, bytes_most FROM file;

CREATE TABLE mirror_anew (
	file_row INTEGER NOT NULL REFERENCES file_anew (row) ON DELETE CASCADE,
	source INTEGER NOT NULL CHECK (source BETWEEN 1 AND 8),
	url TEXT NOT NULL CHECK (length(CAST(url AS BLOB)) BETWEEN 1 AND 2200),
	PRIMARY KEY (file_row, source)
) STRICT, WITHOUT ROWID;
INSERT INTO mirror_anew SELECT file_row, source, url FROM mirror;

-- In this order: with the old files would go the mirrors that point to them.  The indexes and triggers go too.
DROP TABLE mirror;
DROP TABLE file;
ALTER TABLE file_anew RENAME TO file;
ALTER TABLE mirror_anew RENAME TO mirror;

CREATE UNIQUE INDEX file_ordinal ON file (job_row, ordinal);
CREATE UNIQUE INDEX file_path ON file (job_row, path_key);
CREATE INDEX file_state ON file (job_row, state, ordinal);
CREATE INDEX file_partial ON file (job_row, ordinal) WHERE partial <> '' AND state <> 2;
CREATE INDEX file_of_partial ON file (partial) WHERE partial <> '';

-- As before; a file that is not modified (4) is whole and in its place.
CREATE TRIGGER file_added AFTER INSERT ON file BEGIN
	UPDATE job SET
		files_total = files_total + 1,
		files_transferred = files_transferred + (new.state IN (1, 2, 4)),
		files_published = files_published + (new.state IN (2, 4)),
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
		files_transferred = files_transferred + (new.state IN (1, 2, 4)) - (old.state IN (1, 2, 4)),
		files_published = files_published + (new.state IN (2, 4)) - (old.state IN (2, 4)),
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
		files_transferred = files_transferred - (old.state IN (1, 2, 4)),
		files_published = files_published - (old.state IN (2, 4)),
		files_size_unknown = files_size_unknown - (old.bytes_total IS NULL),
		bytes_total = bytes_total - min(coalesce(old.bytes_total, 0), 8796093022208),
		bytes_transferred = bytes_transferred - min(old.bytes_recorded, 8796093022208)
	WHERE row = old.job_row;
END;

-- A job may refuse that its files are fetched in parts.
ALTER TABLE job ADD COLUMN no_segments INTEGER NOT NULL DEFAULT 0 CHECK (no_segments IN (0, 1));
