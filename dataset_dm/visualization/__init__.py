"""Labels drawn over images with numpy and Pillow alone: instances, skeletons, depth, name tags, legends, text."""
