"""Reading of one statement: its numbers, its words and its options, each mistake reported once."""
