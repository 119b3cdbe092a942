"""What an error or a warning tells an author about their code."""
