"""HTML for notebooks is escaped, and embeds what it shows."""

from pathlib import PurePosixPath

from notebook_page import Page, embedded

from tonearm.notebook.html import audio_html, data_uri, escape_html, figure_html, image_html, link_html, table_html

HOSTILE = "<script>alert('1')</script>\"&\u202e\x1b[31m"


def test_text_is_escaped_with_what_a_browser_obeys():
    escaped = escape_html(HOSTILE)
    assert escaped == "&lt;script&gt;alert(&#x27;1&#x27;)&lt;/script&gt;&quot;&amp;\\u202e\\x1b[31m"


def test_hostile_names_stay_text_everywhere():
    html = (
        figure_html(
            [audio_html("data:audio/wav;base64,", HOSTILE), image_html("data:image/png;base64,", HOSTILE)], [HOSTILE]
        )
        + table_html([HOSTILE], [[HOSTILE]])
        + link_html(PurePosixPath(HOSTILE), HOSTILE)
    )
    page = Page(html)  # which refuses scripts
    assert {name for name, _ in page.elements} == {
        *("figure", "audio", "img", "figcaption", "div", "table", "thead", "tbody", "tr", "th", "td", "a")
    }
    shown = HOSTILE.replace("\u202e", "\\u202e").replace("\x1b", "\\x1b")
    assert page.text_in("td") == page.text_in("th") == page.text_in("a") == [shown]
    assert page.all("img")[0]["alt"] == page.all("audio")[0]["aria-label"] == shown


def test_a_link_is_an_address_whatever_the_name_is():
    page = Page(link_html(PurePosixPath("javascript:alert(1)/a b#?.wav"), "more than 5 MB"))
    assert page.all("a")[0]["href"] == "javascript%3Aalert%281%29/a%20b%23%3F.wav"
    assert page.text_in("div") == [" (more than 5 MB)"]


def test_a_link_names_any_file_that_a_system_has():
    page = Page(link_html(PurePosixPath("caf\udce9.wav"), ""))
    assert page.all("a")[0]["href"] == "caf%E9.wav"
    assert page.text_in("a") == ["caf\\udce9.wav"]


def test_content_is_embedded_as_it_is():
    content = bytes(range(256))
    assert embedded(data_uri(content, "audio/wav"), "audio/wav") == content


def test_a_table_has_its_rows():
    page = Page(table_html(("a", "b"), [(1, 2), (3, 4)]))
    assert page.text_in("th") == ["a", "b"]
    assert page.text_in("td") == ["1", "2", "3", "4"]
    assert len(page.all("tr")) == 3
