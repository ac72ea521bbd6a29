"""Pure measures: predictions and truth in, figures out."""
