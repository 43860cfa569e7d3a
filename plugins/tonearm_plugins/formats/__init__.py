"""File formats as plain functions, one format a module, whatever plugin reads or writes it."""
