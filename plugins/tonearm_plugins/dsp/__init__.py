"""Signal processing as plain functions on arrays; nothing here knows tonearm."""
