"""What ticket printers have in common: how a slip is laid out, what the printer's status bytes say, how paper looks."""
