-- What joins all that is told of one submit, and the program that made the job, as the system told it ('': it did not).
ALTER TABLE job ADD COLUMN correlation TEXT NOT NULL DEFAULT '' CHECK (length(correlation) IN (0, 36));
ALTER TABLE job ADD COLUMN program TEXT NOT NULL DEFAULT '' CHECK (length(CAST(program AS BLOB)) <= 1023);
UPDATE job SET correlation = id;
