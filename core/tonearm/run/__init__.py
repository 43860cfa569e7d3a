"""Runs: one pipeline over many sources, with a plan, an executor, and a journal of what happened to each item."""
