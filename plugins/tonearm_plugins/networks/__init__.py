"""Neural networks as transforms: what their headers say, what they take and give, and their work in chunks."""
