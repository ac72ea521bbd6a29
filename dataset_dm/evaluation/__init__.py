"""How good are the images and the labels: metrics (pure), runs (generator, decoder, judge) and their reports."""
