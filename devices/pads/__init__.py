"""What call pads and evaluators of different families have in common: keys and grades, frames, learning. Pure."""
