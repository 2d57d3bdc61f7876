"""Numbers that need no training, beside what theory and the publications say of them."""
