"""Pictures: a loss or a result -> a Matplotlib Figure. No pyplot, no display, and no state that outlives a picture.

Only the plot commands import this package, and with it Matplotlib.
"""
