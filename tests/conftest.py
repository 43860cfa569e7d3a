"""What holds for all tests."""

from hypothesis import settings

# How long an example takes says nothing where other work shares the machine; ratios are for tests/benchmarks.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")
