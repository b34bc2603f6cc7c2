"""Looking back into the archive from the console: what is asked, the process that answers, what it found."""
