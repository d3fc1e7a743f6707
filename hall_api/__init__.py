"""What the hall decides: tickets, calling, ratings; and the doors through which others ask."""
