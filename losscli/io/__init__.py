"""Reading and writing files: operands become sources or tables of rows, and results go to sinks. One
file per format.
"""
