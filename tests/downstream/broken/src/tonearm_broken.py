"""A package that ends the whole program when it is imported; tonearm sets it aside, and goes on."""

import sys

sys.exit("this machine has no licence")
