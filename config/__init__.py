"""What the installer chose: hall.toml text in, frozen dataclasses out, every error naming its place."""
