"""Where the sources of a run come from, and how their content is told apart."""
