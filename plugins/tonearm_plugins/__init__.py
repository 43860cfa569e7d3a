"""The plugins that tonearm ships, registered through the same entry point as anyone else's."""
