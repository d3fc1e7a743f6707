"""What devices that count as keyboards say, and how their keys are written as text."""
