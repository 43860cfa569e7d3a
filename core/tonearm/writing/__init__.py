"""What encoders share: tags, provenance, and samples rounded to integers."""
