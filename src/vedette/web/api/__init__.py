"""REST under ``/api/v1``: what there is, what happens, and what may be changed."""
