"""How the node does less when it cannot do all, in named steps, and more again when it can."""
