"""What a candidate finds in live frames beside the detector at work: how far the two agree."""
