"""Phase recovery: momentum, first phases, targets."""
