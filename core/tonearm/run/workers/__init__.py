"""Executors, their worker processes, and the messages between them and the run."""
