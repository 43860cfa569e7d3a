"""Plugins: their contract, their ports, the objects that the host gives them, and the registry that finds them."""
