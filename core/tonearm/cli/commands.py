"""The commands, each with one line for ``--help``."""

COMMANDS = {
    "run": "Convert files with a pipeline",
    "check": "Validate pipelines without reading any data",
    "convert": "Convert one file without writing a pipeline",
    "inspect": "Describe the arrays in files, and print the pipelines that convert them",
    "status": "Report the status of the runs in a folder",
    "merge": "Make one journal of those of a run's parts, and report what is missing",
    "plugins": "List the installed plugins, or the options of one",
    "dialects": "List the dialects of mel spectrograms, or show all figures of one",
    "recipes": "List the recipes of linear spectrograms, or show all figures of one",
    "layouts": "List the layouts of codec tokens, or show all figures of one",
    "doctor": "Tell what works on this machine, what is slower or missing, and how to mend it",
    "completion": "Print a script that completes commands, flags and names in a shell",
    "schema": "Print the JSON Schema of pipelines, for completion in editors",
}
"""Each command is the module of its name, with ``add_arguments(parser)`` and ``main(arguments) -> int``."""
