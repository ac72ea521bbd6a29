"""Shards to rows: reading, columns, facts, filters, mosaics, near-duplicates."""
