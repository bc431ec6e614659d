CREATE TRIGGER halt_stays BEFORE DELETE ON halt FOR EACH ROW
EXECUTE FUNCTION refuse('a halt is never deleted');
CREATE TRIGGER halt_kept BEFORE TRUNCATE ON halt FOR EACH STATEMENT
EXECUTE FUNCTION refuse('a halt is never deleted');
