"""File formats as plain functions: headers are judged before anything is allocated, and writers never wrap."""
