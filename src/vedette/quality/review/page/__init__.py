"""The page on which people review frames: who looks at what, what they say, and what is known by now."""
