"""Citations of the literature, and the list of what is cited, on the page and on paper."""

import re

import pytest

from pipeline.errors import UserError
from reporting import literature
from reporting.check import check
from reporting.literature import cites
from reporting.numbers import Numbers
from reporting.rendering import pandoc
from tests.support.copies import ROOT
from tests.support.pages import CONFIGURATION, FRONT_LINES, Project

BIBLIOGRAPHY = """\
@article{hu2022, author={Hu, Edward and Li, Anna}, title={Low {Rank}}, journal={J. X}, year={2022}}
@article{bee1999, author={Bee, Ann}, title={Test 12}, journal={J. Y}, year={1999}}
@article{cat2001, author={Cat, Carl}, title={Unread}, journal={J. Z}, year={2001}}
"""
LITERATURE = (
    "bibliography: a.bib\nciteproc: true\nlink-citations: true\nreference-section-title: References\n"
)
BODY = """\
As in [@hu2022; see @bee1999], and @hu2022 say so.

::: {#tbl-a}
| a |
|---|
| @bee1999 |

Of all [@hu2022].
:::

See @tbl-a.
"""


@pytest.fixture
def cited(project: Project) -> Project:
    project.write("a.bib", BIBLIOGRAPHY)
    project.write("_quarto.yml", CONFIGURATION + LITERATURE)
    return project


def test_citations_are_words_that_lead_to_the_list_at_the_end_of_the_page_and_of_the_pdf(
    cited: Project,
) -> None:
    cited.page(BODY).render()
    words, paper = " ".join(cited.parsed().words.split()), cited.pdf_words()
    for shown in (words, paper):
        assert "As in (Hu and Li 2022; see Bee 1999), and Hu and Li (2022) say so." in shown
        assert shown.index("References Bee, Ann. 1999.") < shown.index("Hu, Edward, and Anna Li. 2022.")
        assert "Cat" not in shown
    targets = {attributes.get("href") for tag, attributes in cited.parsed().tags if tag == "a"}
    anchors = {attributes.get("id") for _, attributes in cited.parsed().tags}
    assert {"#ref-hu2022", "#ref-bee1999"} <= targets
    assert {"ref-hu2022", "ref-bee1999"} <= anchors
    assert check(cited.site, Numbers({})).problems == ()


def test_what_is_last_follows_what_is_written_below_it_and_only_the_list_of_literature_comes_after(
    cited: Project,
) -> None:
    last = ':::: last\n::: {.content-visible when-format="typst"}\n# Appendix\n\nAt last.\n:::\n::::\n\n'
    cited.page(f"# First\n\n{last}As [@hu2022] say, *in the end*.\n").render()
    paper = cited.pdf_words()
    places = [paper.rindex(words) for words in ("in the end.", "Appendix", "At last.", "References")]
    assert places == sorted(places)
    assert "At last." not in cited.parsed().words


def test_a_number_beside_a_citation_is_still_found_by_the_check(cited: Project) -> None:
    cited.page("They say 93 [@hu2022].\n").render()
    (found,) = check(cited.site, Numbers({})).problems
    assert "'93'" in found


def test_a_page_that_cites_nothing_has_no_list(cited: Project) -> None:
    assert "References" not in cited.page("Nothing.\n").render().html()


def test_a_key_that_the_file_has_not_got_is_refused_by_its_line(cited: Project) -> None:
    cited.page("x\n\nAs [@hu2022; @nobody1] say.\n")
    with pytest.raises(UserError, match=rf"report.qmd:{FRONT_LINES + 3}: a.bib has no entry 'nobody1'"):
        cited.render()


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ("bibliography: none.bib\nciteproc: true\nlink-citations: true\n", "there is no file none.bib"),
        ("bibliography: a.bib\n", "citeproc: true"),
        ("bibliography: a.bib\nciteproc: false\n", "'citeproc' is False"),
    ],
)
def test_a_bibliography_that_the_two_formats_would_not_show_alike_is_refused(
    cited: Project, settings: str, words: str
) -> None:
    cited.write("_quarto.yml", CONFIGURATION + settings)
    with pytest.raises(UserError, match=words):
        cited.page(BODY).render()


def test_every_entry_of_the_projects_literature_can_be_cited_and_none_stands_there_twice() -> None:
    keys = literature.keys(ROOT)
    assert len(keys) == len(set(keys)) > 20
    body = " ".join(f"[@{key}]" for key in keys)
    shown, missing = pandoc.with_citations(pandoc.read(body)[0], ROOT / literature.FILE)
    assert missing == []
    entries = re.findall(r"ref-([\w-]+)", str([block for block in shown["blocks"] if block["t"] == "Div"]))
    assert set(entries) == set(keys)


@pytest.mark.parametrize(
    ("text", "keys"),
    [
        ("EfficientNet-Lite0 + SmolLM2-135M", "tan2019efficientnet; @allal2025smollm2"),
        ("CLIP ViT-B-32 (openai)", "radford2021clip; @dosovitskiy2021vit"),
        ("nlpconnect/vit-gpt2-image-captioning", "radford2019gpt2; @dosovitskiy2021vit"),
        ("CIFAR-10", "krizhevsky2009cifar"),
        ("my cats", ""),
    ],
)
def test_what_the_results_name_is_cited_by_its_name(text: str, keys: str) -> None:
    assert cites(text) == (f" [@{keys}]" if keys else "")
    assert {key.strip(" @") for key in keys.split(";") if key} <= set(literature.keys(ROOT))
