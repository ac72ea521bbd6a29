"""The one training loop: steps, schedule, moving average, evaluation, checkpoints, exact resume. It knows no model.

`config` is light; `loop` loads torch and accelerate.
"""
