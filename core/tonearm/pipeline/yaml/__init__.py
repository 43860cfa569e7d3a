"""YAML read into nodes that know their place, and nothing that could harm or surprise."""
