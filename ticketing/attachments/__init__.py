"""Files that people put to work orders: photographs, measurements, signed sheets (PX-05)."""
