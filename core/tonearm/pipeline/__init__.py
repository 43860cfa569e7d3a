"""From YAML to a checked pipeline: text with places, options, ports, templates, JSON Schema."""
