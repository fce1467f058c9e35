"""A detector held to labelled pictures: what it finds, how sure that is, and if another one is worse.

``run_validation`` (run.py) goes from a set and a detector to a :class:`~vedette.quality.validate.run.Run`,
which is stored; ``gate.py`` says if a run speaks against a model. See docs/validation.md.
"""
