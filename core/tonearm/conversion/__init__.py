"""Conversions without a written pipeline: the pipelines that commands and calls stand for, and their results."""
