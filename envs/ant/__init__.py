"""The Ant robot and the tasks built on it."""
