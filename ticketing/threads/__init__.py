"""Messages between the centre and the departments, one thread for each unit (MN-10)."""
