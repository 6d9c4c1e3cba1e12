"""CAE3: how much the code and the layers can hold."""
