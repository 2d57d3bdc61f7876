"""The algorithms of the suite, the trainer they share, and their configuration."""
