"""Labels drawn over pictures with numpy and Pillow alone: instances, skeletons, depth, name tags, legends, text."""
