"""How people hear of it: notices from the log, letters, and the channels they leave by."""
