"""The hall's front desk for programs: the doors under /v1, who may use them, and the live feed."""
