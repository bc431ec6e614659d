-- What the bands looked at beside the amount: a checker's limit is held against it too.
ALTER TABLE proposal ADD COLUMN sum_minor INTEGER;
