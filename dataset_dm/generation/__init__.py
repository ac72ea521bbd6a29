"""Draws and labels batches of a plan: session, batch, environment, reproduction of a stored row."""
