"""Raw maps of an annotator → annotations with their uncertainty; one file a task."""
