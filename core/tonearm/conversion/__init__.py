"""Conversions without a written pipeline: the pipeline that a command or a call stands for, and what it gives."""
