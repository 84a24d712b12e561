"""Networks trained elsewhere: how they are built, cut, given weights and compiled."""
