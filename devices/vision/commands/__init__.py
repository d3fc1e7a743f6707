"""The command line of `bianmin vision`: one file a sub-command, each holding a click command named `command`."""
