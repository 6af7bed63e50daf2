"""One module per page: the question it answers, and the panels that answer it."""
