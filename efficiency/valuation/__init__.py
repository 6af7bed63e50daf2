"""What a quarter hour of use is worth: its bands, money, carbon and primary energy, by the dated data of the park file.

Pure. Without hours, a price or a factor there is no value, and the reason by name.
"""
