"""Bytes on disk or in a bucket: atomic writes, leases, storage, the home folder."""
