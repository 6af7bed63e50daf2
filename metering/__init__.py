"""The shared words: quantities, the park file, topics and the wire format. Pure: no input or output but files."""
