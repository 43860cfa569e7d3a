"""A package that ends the whole program when it is imported; tonearm disables it and goes on."""

import sys

sys.exit("this machine has no licence")
