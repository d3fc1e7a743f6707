"""The language of printers on the network, IPP: its messages, and the HTTP they travel in."""
