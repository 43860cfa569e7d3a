"""One pipeline over many sources: what there is to do, doing it, and a journal of what became of each item."""
