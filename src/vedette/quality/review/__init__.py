"""Frames that people look at: which are kept, where, what was said of them, and how far that can be
trusted."""
