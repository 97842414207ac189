"""Personal data is out of training examples by default: known values become merge fields, unknown ones typed placeholders, signatures go."""
