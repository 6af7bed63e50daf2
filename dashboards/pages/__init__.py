"""One module a page: the question it answers, and the panels that answer it."""
