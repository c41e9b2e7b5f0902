"""Nothing lost: what is kept, where, and whether it may go on."""
