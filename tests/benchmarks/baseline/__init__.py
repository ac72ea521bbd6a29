"""The comparison: a network of like size for all tasks, trained from scratch on the very images that the decoder was
trained on.

It sees the images alone, no generator. What the decoder is better by is what the generator's features are worth.
"""
