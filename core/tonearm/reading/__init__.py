"""What decoders of files need to read safely: bounds, bounded files, archives, lazy arrays, and errors of libraries."""
