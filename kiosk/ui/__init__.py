"""The parts every page of the terminal is made of: type, colours, buttons, bars, keys, codes, sounds."""
