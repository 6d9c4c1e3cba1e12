"""CAE7: penalties, dropout and normalisation."""
