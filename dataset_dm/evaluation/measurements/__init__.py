"""One file a measurement: models and numbers in, a report with its plots and pictures out."""
