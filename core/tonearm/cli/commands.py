"""The commands that there are."""

COMMANDS = {
    "run": "convert files as a pipeline says",
    "check": "report every problem of a pipeline before any data is read",
    "convert": "convert one file with no YAML",
    "inspect": "say what arrays seem to be, and print the YAML that would convert them",
    "status": "say what became of the runs into a folder",
    "plugins": "list plugins, or one plugin's options",
    "schema": "print the JSON Schema of pipelines, for completion in editors",
}
"""Each is a module of its name beside this one, with ``add_arguments(parser)`` and ``main(arguments) -> int``."""
