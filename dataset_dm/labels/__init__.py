"""What a label is: tasks, records, provenance, classes and their words, masks, image bytes."""
