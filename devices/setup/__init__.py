"""Setting devices up: what is plugged in, which driver fits, learning what nobody documented, and what is wrong.

Used by the technician's page (`devices.gateway`) and by the command line (`devices.cli`) alike.
"""
