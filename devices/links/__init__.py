"""The cables: how bytes reach a device and come back."""
