"""The rules of the hall as pure functions: no web, no database, no clock."""
