"""Tools for decoders of files: bounds, bounded files, archives, lazy arrays, and translation of errors."""
