"""The value of a quarter hour of use: its bands, money, carbon and primary energy, by the park file's dated data.

Pure. Without hours, a price or a factor there is no value, and the reason is named.
"""
