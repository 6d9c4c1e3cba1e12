"""From evidence to suspicions, one file for each part of the evidence."""
