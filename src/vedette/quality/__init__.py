"""Whether what a detector says is right: drift, review, labelled sets, validation. Consumes facts."""
