CREATE TRIGGER restoration_ends BEFORE UPDATE ON restoration FOR EACH ROW
WHEN (OLD.done_at IS NOT NULL)
EXECUTE FUNCTION refuse('a restoration that is done is never changed');
CREATE TRIGGER restoration_stays BEFORE DELETE ON restoration FOR EACH ROW
EXECUTE FUNCTION refuse('a restoration is never deleted');
CREATE TRIGGER restoration_kept BEFORE TRUNCATE ON restoration FOR EACH STATEMENT
EXECUTE FUNCTION refuse('a restoration is never deleted');
