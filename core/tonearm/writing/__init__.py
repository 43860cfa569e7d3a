"""Tools that encoders share: tags, provenance, and samples rounded to integers."""
