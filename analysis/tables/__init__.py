"""One module per table; each reads a statistics table and writes csv, Markdown and LaTeX."""
