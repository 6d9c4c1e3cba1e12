"""The mirrored decoder: layers inverted in reverse order."""
