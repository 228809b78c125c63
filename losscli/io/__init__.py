"""Files in and out: operands become Sources of rows, results go to Sinks. One class a format."""
