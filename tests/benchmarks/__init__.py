"""Long measurements, each a command: `python -m tests.benchmarks.NAME --help`. Their figures are in BENCHMARKS.md."""
