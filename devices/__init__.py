"""Everything on a cable: what devices are for, how each family speaks, and the cables themselves."""
