"""One module per figure of the paper; each reads the statistics table and draws."""
