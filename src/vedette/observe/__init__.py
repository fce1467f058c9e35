"""Those who watch: they consume facts and snapshots, and can neither slow nor break the pipeline."""
