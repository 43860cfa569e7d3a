"""The output folder: its lock, journal and history, the names of outputs, temporaries, and publishing."""
