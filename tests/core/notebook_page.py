"""What a notebook makes of HTML: its elements, its text, and the content that is embedded in it."""

from __future__ import annotations

import base64
import io
from html.parser import HTMLParser

import numpy as np
import soundfile
from PIL import Image

VOID = ("img", "br")


class Page(HTMLParser):
    """HTML that has been read: well formed, without scripts, and without anything from outside."""

    def __init__(self, html):
        super().__init__()
        self.elements, self.texts, self.open = [], [], []
        self.feed(html)
        self.close()
        assert self.open == [], "elements that are not closed"
        assert {name for name, _ in self.elements} & {"script", "iframe", "link", "object", "style"} == set()
        for _, attributes in self.elements:
            assert not [name for name in attributes if name.startswith("on")], "a handler is a script"
            for name in ("src", "href"):
                address = attributes.get(name, "data:")
                assert address.startswith("data:") or ":" not in address

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.texts.append((self.open[-1] if self.open else "", data))

    def all(self, tag):
        return [attributes for name, attributes in self.elements if name == tag]

    def text_in(self, tag):
        return [text for name, text in self.texts if name == tag]

    def caption(self):
        """Return the lines of the caption, which are the only divs of a figure."""
        return self.text_in("div")


def embedded(address, media_type):
    """Return the content of a data address."""
    head, _, content = address.partition(";base64,")
    assert head == f"data:{media_type}"
    return base64.b64decode(content, validate=True)


def played(page):
    """Return the samples that a page plays, (channels, samples), as 16-bit integers, and their rate."""
    (audio,) = page.all("audio")
    assert "controls" in audio
    assert "autoplay" not in audio
    sound, rate = soundfile.read(io.BytesIO(embedded(audio["src"], "audio/wav")), dtype="int16", always_2d=True)
    return sound.T, rate


def pictures(page):
    """Return the lightness of the embedded pictures, 0 to 255, the top row first."""
    found = []
    for image in page.all("image"):
        picture = Image.open(io.BytesIO(embedded(image["href"], "image/png")))
        picture.verify()
        picture = Image.open(io.BytesIO(embedded(image["href"], "image/png")))
        found.append(np.asarray(picture.convert("L"), float))
    return found


def marks(page, anchor):
    """Return the labels of marks and where they are, on the axis whose labels have this anchor.

    They are x of those with ``middle``, and y of those with ``end``; names of axes are left out.
    """
    coordinate = {"middle": "x", "end": "y"}[anchor]
    texts = iter(page.text_in("text"))
    found = {}
    for attributes in page.all("text"):
        label = next(texts)
        if attributes["text-anchor"] == anchor and label.replace("-", "").replace(".", "").isdigit():
            found[float(label)] = float(attributes[coordinate])
    return found
