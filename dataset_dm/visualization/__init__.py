"""Labels drawn over pictures with numpy and Pillow alone: things, skeletons, depth, name tags, legends, text."""
