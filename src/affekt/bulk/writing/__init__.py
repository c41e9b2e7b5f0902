"""From answers to files: columns, cells, bytes; shards that appear whole or not at all, and the output made of them."""
