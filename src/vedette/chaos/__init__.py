"""A node under scheduled faults, and what is to be said of it afterwards."""
