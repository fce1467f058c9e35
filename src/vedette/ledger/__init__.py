"""The durable record of what was not seen."""
