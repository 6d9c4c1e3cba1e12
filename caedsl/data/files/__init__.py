"""Files of samples: found, opened safely, decoded, downloaded."""
