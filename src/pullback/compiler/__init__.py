"""The compiler: graphs to loops, loops to machine code, machine code to a Python function."""
