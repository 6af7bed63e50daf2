"""The domain's words: quantities, units, and the park file as frozen models. Pure: no input or output but files."""
