"""What the results say about each claim of the paper: statistical tests, verdicts, and how they are shown."""
