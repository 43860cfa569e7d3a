"""Who does the work of a run: executors, their worker processes, and the protocol between them."""
