"""Orders: the customer's case from the answered call to the archive, its work orders, reviews and trail."""
