"""Charts as small inline SVG.

They are drawn here and not by a plotting library, because a report must open without a network or a script, must work
with a screen reader (title, description and a title for every value), and must be byte-identical for the same numbers,
so that a test can compare them. The SVG of a library is ten times as long and does none of the three.
"""
