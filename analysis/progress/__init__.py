"""An overview of a preset's trainings, for those who wait for them: ``python -m analysis.progress``."""
