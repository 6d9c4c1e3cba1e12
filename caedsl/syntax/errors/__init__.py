"""English for syntax errors."""
