"""From surplus and demand streams of the park file and their meters to matches between companies."""
