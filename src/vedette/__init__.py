"""Vedette: video analytics that keeps watching."""

__version__ = "0.1.0"
