def parallel_address(): return 0
def workers(): return 1
