"""The shard store: shards, schema, label codec, inventory, status, verification, garbage, output folders."""
