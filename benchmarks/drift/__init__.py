"""Whether drift is noticed, when it is not there, and whether what labels say holds."""
