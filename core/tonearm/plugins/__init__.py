"""What a plugin is: its contract, its ports, what the host hands it, and the registry that finds it by name."""
