"""What works on this machine: the examination that ``tonearm doctor`` prints."""
