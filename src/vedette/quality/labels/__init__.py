"""Labelled pictures, and the formats in which people keep them."""
