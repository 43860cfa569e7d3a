"""Sources of a run: how they are found, and the hashes of their content."""
