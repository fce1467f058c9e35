"""Who may do what: users and their roles, sessions, tokens, and what is refused before it is looked at."""
