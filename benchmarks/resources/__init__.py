"""What a node's processes have, what becomes of it over days, and what becomes of them."""
