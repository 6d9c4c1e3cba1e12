"""All words of the language, with one declaration each."""
