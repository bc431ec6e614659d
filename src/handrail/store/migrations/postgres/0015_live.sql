-- Tells every gateway also what begins to wait for a person.
CREATE TRIGGER proposal_asked AFTER INSERT ON proposal FOR EACH ROW
WHEN (NEW.state = 'PENDING')
EXECUTE FUNCTION tell_moved();
