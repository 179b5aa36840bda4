"""What is said in files of any length: recording -> pieces cut at pauses -> words with absolute times -> a result."""
