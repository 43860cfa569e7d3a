"""Conversion of one source: the pipeline that a call or the command stands for, and what was saved."""
