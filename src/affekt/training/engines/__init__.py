"""How steps are taken: plain or captured, on one device or several, within a memory budget."""
