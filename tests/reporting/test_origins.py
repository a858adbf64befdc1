from experiments.results.source import Source
from reporting.numbers import FORMATS
from reporting.origins import worded


def test_sources_are_worded_with_what_is_known_of_them() -> None:
    known = Source(
        name="some/model", revision="0123456789abcdef", sha256="ab" * 32, licence="MIT", url="https://x"
    )
    assert worded((known,)) == "some/model, version 0123456789ab, licence MIT"
    local = Source(name="local folder tiny", sha256="ab" * 32)
    assert worded((known, local)).endswith("; local folder tiny, SHA-256 abababababab…")
    assert worded((Source(name="a text"),)) == "a text"
    assert worded(()) == "drawn from a seed"
    assert FORMATS["sources"] is worded
