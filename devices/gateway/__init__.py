"""The station's own local web face: what is plugged into this machine and how it is doing."""
