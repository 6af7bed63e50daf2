"""The commands: a module each, of the command's name, which has its `app`."""
