"""One page with everything that was drawn from a results folder, to be read without a network."""
