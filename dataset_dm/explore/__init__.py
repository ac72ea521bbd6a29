"""The explorer: pages of a set's samples in the browser, drawn and filtered as asked.

sets.py       opens a set; reads light columns of all rows, and whole rows of those that are shown
index.py      what is known of every row without its pictures: classes, figures, prompts; filters over them
pictures.py   a sample as titled pictures: labels over the image, one or two labellers
page.py       samples as HTML
view.py       a set, or two of the same images, and what is asked for → a page
app.py        the window around it; the only one that knows gradio
"""
