"""The processes a machine runs, and the citizen's touch terminal."""
