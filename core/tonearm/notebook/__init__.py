"""Pictures, players and tables for notebooks: HTML that needs nothing from outside. It knows arrays, but no signals."""
