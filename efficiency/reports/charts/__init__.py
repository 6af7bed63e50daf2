"""Charts as small SVG that a page carries in itself.

They are drawn here and not by a plotting library because a report must open without a network or a script, must be
read aloud by a screen reader (title, description and a title behind every value), and must be the same bytes for the
same numbers, so that a test can compare them; a library's SVG is ten times as long and none of the three.
"""
