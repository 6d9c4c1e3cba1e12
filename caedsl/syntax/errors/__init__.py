"""Messages for syntax errors."""
