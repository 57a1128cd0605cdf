-- Files that are made up of ranges of the server's; of the others nothing is here.

ALTER TABLE file ADD COLUMN ranges INTEGER NOT NULL DEFAULT 0 CHECK (ranges BETWEEN 0 AND 4096); -- how many; 0: the whole file
CREATE TABLE ranges (
	file_row INTEGER PRIMARY KEY REFERENCES file (row) ON DELETE CASCADE,
	list TEXT NOT NULL CHECK (length(CAST(list AS BLOB)) BETWEEN 2 AND 163840) -- as HTTP writes them: 0-99,200-
) STRICT;
