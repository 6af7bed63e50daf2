"""The front door: the command line, the demo park and the local servers."""
