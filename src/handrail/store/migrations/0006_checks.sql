-- What the policy has for the agent about a check that did not pass.
ALTER TABLE proposal ADD COLUMN told TEXT;
