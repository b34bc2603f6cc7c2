"""The parts from which ``samples/generate.py`` makes its logs: the cast, the recorders and the story."""
