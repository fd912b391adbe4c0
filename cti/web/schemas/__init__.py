"""What the web interface takes and gives, as pydantic models: the only truth for the API's shapes. Pure."""
