"""The explorer: pages of a set's samples in the browser, drawn and filtered on request; and sheets of samples as PNG.

sets.py       opens a set that is shown
index.py      facts of every row, read without its images: classes, figures, prompts; filters over them
images.py     a sample as titled panels: labels over the image, of one annotator or two
page.py       samples as HTML
view.py       a set, or two of the same images, and a request → a page
app.py        the window with its controls; the only module that imports gradio
preview.py    a sheet of samples
"""
