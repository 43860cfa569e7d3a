"""The host: it knows pipelines, and no plugin by name."""
