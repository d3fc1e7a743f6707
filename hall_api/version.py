"""Which version of Bianmin this is."""

VERSION = "0.1.0"
