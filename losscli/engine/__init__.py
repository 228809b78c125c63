"""The engine: it runs a loss over all rows of files, batch by batch, and adds up the records that collectors make."""
