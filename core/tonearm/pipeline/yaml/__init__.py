"""Reading of YAML into nodes with marks, restricted to what is safe and unambiguous."""
