"""One language alone: a page has the words of its template in it, those of the program, and what others wrote, marked as such."""

import re

import httpx
import pytest
from jinja2 import DictLoader, Environment

from console.http.languages import Language, Pairs, speaking
from console.http.pages import ENVIRONMENTS
from schemas.values.both import Both
from schemas.values.refusals import in_both, say
from tests.console_languages import foreign

pytest_plugins = ("tests.api_fixture",)

CHINESE = re.compile(r"[\u3000-\u303f\u3400-\u9fff\uff00-\uffef]")
OF_ITSELF = re.compile(
    r"\{#.*?#\}"  # a comment
    r"|<span lang=\"zh\">.*?</span>"  # the switch, in its own language
    r"|both\('[^']*', '[^']*'(?:, '[^']*')?\)"  # words in both languages, of an expression
    r"|\('[^']*', '[^']*'"  # of a line of a list
    r"|\((?:given, )?'[^']*', '[^']*', '[^']*'"  # of a macro
    r"|both\(.*?\) ?(?:\}\}|%\})",
    re.DOTALL,
)
"""What has its English beside it in the same expression, and the one thing that is Chinese in English alone."""

TEMPLATE = (
    '<h1 title="[[返回 || Back]]">[[环节{{ number }} :: Stage {{ number }}]]</h1>'
    "<p>{{ reason }}</p><p>{{ text | theirs }}</p><p>{{ beside(words) }}</p><option{{ tongue_of(text) }}>{{ text }}</option>"
)


def filled(language: Language, **of: object) -> str:
    """A page of a template in a language."""
    template = {"page.html": TEMPLATE}
    made = speaking(lambda: Environment(loader=DictLoader(template), autoescape=True, extensions=[Pairs]))
    return (
        made[language]
        .get_template("page.html")
        .render(
            number=3,
            reason=in_both(say("案件已终结", "the case has ended")),
            words=Both("城管局", "urban management"),
            **of,
        )
    )


@pytest.mark.parametrize(
    ("language", "page"),
    [
        (
            Language.BOTH,
            (
                '<h1 title="返回 Back">环节3 <span class="town-en">Stage 3</span></h1><p>案件已终结 (the case has ended)</p>'
                '<p>&lt;灯&gt;</p><p>城管局 <span class="town-en">urban management</span></p><option>&lt;灯&gt;</option>'
            ),
        ),
        (
            Language.CHINESE,
            '<h1 title="返回">环节3</h1><p>案件已终结</p><p>&lt;灯&gt;</p><p>城管局</p><option>&lt;灯&gt;</option>',
        ),
        (
            Language.ENGLISH,
            (
                '<h1 title="Back">Stage 3</h1><p>the case has ended</p><p><span lang="zh">&lt;灯&gt;</span></p>'
                '<p>urban management</p><option lang="zh">&lt;灯&gt;</option>'
            ),
        ),
    ],
    ids=lambda each: str(each)[:2],
)
def test_a_template_is_in_each_language(language: Language, page: str) -> None:
    """Its pairs, what is said in both, and what somebody wrote: escaped in all of them, and marked where it is in another one."""
    assert filled(language, text="<灯>") == page


def test_what_a_machine_says_in_english_is_marked_in_chinese_alone() -> None:
    """A finding of the verifier has no Chinese: read aloud in a Chinese page it is English."""
    assert '<span lang="en">not sealed yet</span>' in filled(Language.CHINESE, text="not sealed yet")
    assert "<p>not sealed yet</p>" in filled(Language.ENGLISH, text="not sealed yet")


@pytest.mark.parametrize(
    ("page", "language", "found"),
    [
        ("<p>环节</p>", Language.ENGLISH, ["环节"]),
        ('<img alt="附件">', Language.ENGLISH, ["附件"]),
        ('<p>by <span lang="zh">王芳</span>, 城管局</p>', Language.ENGLISH, [", 城管局"]),
        ("<textarea>写的</textarea><code>命令</code>", Language.ENGLISH, []),
        ("<p>do it at once</p>", Language.CHINESE, ["do it at once"]),
        ('<p lang="en">do it at once</p><p>incident-20261121-000017</p>', Language.CHINESE, []),
    ],
)
def test_the_law_sees_what_it_forbids(page: str, language: Language, found: list[str]) -> None:
    """A word of the other language is found in a text and in an attribute, and not where it is marked or typed by somebody."""
    assert foreign(f'<html lang="{language.tag}"><body>{page}</body></html>', language) == found


@pytest.mark.parametrize("name", sorted(ENVIRONMENTS[Language.ENGLISH].list_templates()))
def test_each_word_of_a_template_stands_in_a_pair(name: str) -> None:
    """In English alone nothing that a template says of itself is Chinese: texts, attributes, and what it puts in between."""
    environment = ENVIRONMENTS[Language.ENGLISH]
    assert environment.loader is not None
    source = environment.preprocess(environment.loader.get_source(environment, name)[0], name)
    source = OF_ITSELF.sub("", source)

    assert [line for line in source.splitlines() if CHINESE.search(line)] == []


async def test_a_page_in_english_names_the_way_back_in_chinese(http: httpx.AsyncClient) -> None:
    """Whoever reads no English finds the switch; a problem is told in English, and the page says that it is English."""
    page = await http.get("/notices/XXXX2222/object", headers={"Cookie": "jiceng-look=en"})

    assert page.status_code == 404
    assert '<html lang="en"' in page.text
    assert '<span lang="zh">仅中文</span>' in page.text
    assert foreign(page.text, Language.ENGLISH) == []


async def test_a_form_that_comes_back_says_in_english_what_is_wrong(http: httpx.AsyncClient) -> None:
    """What is refused, at the field and above the form; the answer of the API is in both languages as ever."""
    looks = {"Cookie": "jiceng-look=en", "Sec-Fetch-Site": "same-origin"}
    page = await http.post("/follow", data={"number": "incident-20261121-000017", "code": "AAAA2222"}, headers=looks)

    assert "govuk-error-summary" in page.text
    assert foreign(page.text, Language.ENGLISH) == []
