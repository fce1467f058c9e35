"""The dashboard and the API: a process of its own beside the node, which asks the node like anybody else.

It takes no part in a frame's way. What it shows and does is what :class:`vedette.web.node.Node` offers, the
ledger and the review folder, which it reads itself; where it ends, the node starts it again, and misses
nothing.
"""
