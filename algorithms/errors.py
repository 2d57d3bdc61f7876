"""The refusal that every command prints as one line."""


class ConfigError(ValueError):
    """A configuration that cannot be run.  The message is one line: key, value, and what is allowed."""
