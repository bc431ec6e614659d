CREATE TRIGGER assertion_fixed BEFORE UPDATE ON assertion FOR EACH ROW
EXECUTE FUNCTION refuse('an assertion is never changed');
CREATE TRIGGER assertion_stays BEFORE DELETE ON assertion FOR EACH ROW
EXECUTE FUNCTION refuse('an assertion is never deleted');
CREATE TRIGGER assertion_kept BEFORE TRUNCATE ON assertion FOR EACH STATEMENT
EXECUTE FUNCTION refuse('an assertion is never deleted');
