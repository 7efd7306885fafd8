"""What a run would do, said before anything is written."""
