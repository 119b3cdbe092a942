"""Every function of NumPy's surface, with arguments for one example of a batch."""
