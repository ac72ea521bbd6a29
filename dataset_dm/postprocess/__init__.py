"""Raw maps of a labeller → annotations with their uncertainty; one file a task."""
