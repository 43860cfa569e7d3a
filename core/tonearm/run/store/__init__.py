"""The place of outputs: its lock, journal and history, temporaries, names, and publishing."""
