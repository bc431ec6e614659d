-- What PostgreSQL needs besides the tables and indexes of ../0001_spine.sql: the triggers in its
-- own language, and what several gateways on one database need to know of each other.

CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN RAISE EXCEPTION '%', TG_ARGV[0]; END $$;

CREATE FUNCTION refuse_unwritten_move() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NOT EXISTS (
    SELECT 1 FROM transition t WHERE t.before = OLD.state AND t.after = NEW.state
  ) THEN
    RAISE EXCEPTION 'a proposal cannot move that way';
  END IF;
  RETURN NEW;
END $$;

CREATE TRIGGER proposal_starts BEFORE INSERT ON proposal FOR EACH ROW
WHEN (NEW.state NOT IN ('READY', 'PENDING', 'HOLDING', 'REFUSED', 'ESCALATED')
  AND NOT (NEW.state = 'EXECUTING' AND NEW.attempt = 1
           AND NEW.control IN ('run_and_log', 'run_and_notify')))
EXECUTE FUNCTION refuse('a proposal cannot start in this state');
CREATE TRIGGER proposal_moves BEFORE UPDATE OF state ON proposal FOR EACH ROW
EXECUTE FUNCTION refuse_unwritten_move();
CREATE TRIGGER proposal_stays BEFORE DELETE ON proposal FOR EACH ROW
EXECUTE FUNCTION refuse('a proposal is never deleted');
CREATE TRIGGER proposal_kept BEFORE TRUNCATE ON proposal FOR EACH STATEMENT
EXECUTE FUNCTION refuse('a proposal is never deleted');

CREATE TRIGGER review_fixed BEFORE UPDATE ON review FOR EACH ROW
EXECUTE FUNCTION refuse('a review is never changed');
CREATE TRIGGER review_stays BEFORE DELETE ON review FOR EACH ROW
EXECUTE FUNCTION refuse('a review is never deleted');
CREATE TRIGGER review_kept BEFORE TRUNCATE ON review FOR EACH STATEMENT
EXECUTE FUNCTION refuse('a review is never deleted');

CREATE TRIGGER entry_fixed BEFORE UPDATE ON entry FOR EACH ROW
EXECUTE FUNCTION refuse('the log is append-only');
CREATE TRIGGER entry_stays BEFORE DELETE ON entry FOR EACH ROW
EXECUTE FUNCTION refuse('the log is append-only');
CREATE TRIGGER entry_kept BEFORE TRUNCATE ON entry FOR EACH STATEMENT
EXECUTE FUNCTION refuse('the log is append-only');
CREATE TRIGGER tile_fixed BEFORE UPDATE ON tile FOR EACH ROW
EXECUTE FUNCTION refuse('the log is append-only');
CREATE TRIGGER tile_stays BEFORE DELETE ON tile FOR EACH ROW
EXECUTE FUNCTION refuse('the log is append-only');
CREATE TRIGGER tile_kept BEFORE TRUNCATE ON tile FOR EACH STATEMENT
EXECUTE FUNCTION refuse('the log is append-only');
CREATE TRIGGER checkpoint_fixed BEFORE UPDATE ON checkpoint FOR EACH ROW
EXECUTE FUNCTION refuse('the log is append-only');
CREATE TRIGGER checkpoint_stays BEFORE DELETE ON checkpoint FOR EACH ROW
EXECUTE FUNCTION refuse('the log is append-only');
CREATE TRIGGER checkpoint_kept BEFORE TRUNCATE ON checkpoint FOR EACH STATEMENT
EXECUTE FUNCTION refuse('the log is append-only');

-- The gateways that are alive. One is gone for good when its row is: nobody ever writes it again
-- under the same fence, and a transaction of its own holds the row while it lasts.
CREATE TABLE gateway (
  fence BIGINT PRIMARY KEY, since TIMESTAMPTZ NOT NULL, lease_until TIMESTAMPTZ NOT NULL
);

-- How often something changed that the gateways keep in memory: a customer was erased, a policy
-- was activated, a task was ended. They compare it at every transaction.
CREATE FUNCTION count_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO meta (name, value) VALUES (TG_ARGV[0], '1') ON CONFLICT (name)
    DO UPDATE SET value = (meta.value::bigint + 1)::text;
  RETURN NULL;
END $$;
CREATE TRIGGER subject_erased AFTER UPDATE OF sealed_key ON subject FOR EACH ROW
WHEN (OLD.sealed_key IS NOT NULL AND NEW.sealed_key IS NULL)
EXECUTE FUNCTION count_change('erasures');
CREATE TRIGGER task_ended AFTER UPDATE OF revoked_at ON task FOR EACH ROW
EXECUTE FUNCTION count_change('revocations');
CREATE TRIGGER desk_ruled AFTER INSERT OR UPDATE OF policy ON desk FOR EACH ROW
EXECUTE FUNCTION count_change('policies');

-- Tells every gateway which action has moved: only its id. What runs alone ends within
-- milliseconds where it was proposed, so nobody elsewhere waits for it. A lost notice only delays.
CREATE FUNCTION tell_moved() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN PERFORM pg_notify('handrail', NEW.id); RETURN NULL; END $$;
CREATE TRIGGER proposal_moved AFTER UPDATE OF state ON proposal FOR EACH ROW
WHEN (NEW.control NOT IN ('run_and_log', 'run_and_notify'))
EXECUTE FUNCTION tell_moved();
