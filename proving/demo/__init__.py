"""The demo park: the whole path on private servers in one folder, filled with a past and then live."""
