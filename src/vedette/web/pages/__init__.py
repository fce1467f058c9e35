"""Pages for people. Each is a component of the browser that asks the API; Python gives it a place."""
