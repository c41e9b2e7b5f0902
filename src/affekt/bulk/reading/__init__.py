"""From files to rows to be scored: bytes, lines, rows, and the chosen ones of them in shards, from any position on."""
