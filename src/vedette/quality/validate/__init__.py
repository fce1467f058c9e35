"""A detector held to labelled pictures: what it finds, how sure that is, and if another one is worse.

``run_validation`` (perform.py) goes from a set and a detector to a ``Run`` (run.py), which is stored;
``gate.py``, which needs neither, says if a run speaks against a model. See docs/validation.md.
"""
