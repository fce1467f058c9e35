"""Accuracy now, from a folder of reviewed frames: ``vedette accuracy``."""
