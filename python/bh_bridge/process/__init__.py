"""This process and its machine: imports, signals, locks, output, environment."""
