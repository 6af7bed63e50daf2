"""Charts as inline SVG: pure functions from numbers and labels to text, readable on paper and to a screen reader."""
