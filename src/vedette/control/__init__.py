"""Asking a running node: a Unix socket in a folder that is the user's alone."""
