"""`make bench`: how good plans are, how long they take, what they cost in memory."""
