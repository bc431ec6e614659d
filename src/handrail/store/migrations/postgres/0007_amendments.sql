CREATE TRIGGER amendment_ends BEFORE UPDATE ON amendment FOR EACH ROW
WHEN (OLD.closed_at IS NOT NULL)
EXECUTE FUNCTION refuse('a proposed policy that has ended is never changed');
CREATE TRIGGER amendment_stays BEFORE DELETE ON amendment FOR EACH ROW
EXECUTE FUNCTION refuse('a proposed policy is never deleted');
CREATE TRIGGER amendment_kept BEFORE TRUNCATE ON amendment FOR EACH STATEMENT
EXECUTE FUNCTION refuse('a proposed policy is never deleted');
