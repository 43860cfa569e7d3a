"""Encoders that tonearm ships: ``X_writer.py`` is the plugin ``X-writer``, ``*_options.py`` is what several share."""
