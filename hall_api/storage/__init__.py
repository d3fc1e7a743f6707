"""Where the hall's facts are kept: one durable list of what happened, and the rows it led to."""
