"""From `.cae` text to a syntax tree and back: parser, recovery, messages, printer, formatter."""
