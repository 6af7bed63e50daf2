"""From surplus and demand streams of the park file, and what meters say of them, to matches between firms."""
