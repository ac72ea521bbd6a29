"""Card templates, shipped as package data; `dataset_dm.hub` fills them."""
