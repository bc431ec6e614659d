"""Who somebody is: people and their credentials, logins, emergency access, an agent's tasks."""
