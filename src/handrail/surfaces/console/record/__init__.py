"""What was: the log, a whole life on one page, and the questions of an auditor."""
