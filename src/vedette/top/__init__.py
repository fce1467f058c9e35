"""``vedette top``: a running node in a terminal, by its control socket."""
