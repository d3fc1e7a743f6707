"""What a machine can be: one program for each role, started by `bianmin run hall.toml`."""
