"""Cards that are on the Hub already: what people wrote on them stays."""

from pathlib import Path

from tests.hub.conftest import MINE
from tests.hub.loopback import LoopbackHub
from tests.hub.reading import card_of, edit_card, head_of
from tests.hub.stores import make_store, push


def test_what_people_wrote_on_the_card_stays(logged_in: LoopbackHub, tmp_path: Path) -> None:
    push(make_store(tmp_path / "set"), "me/voc_synth")

    def change(text: str) -> str:
        text = text.replace("pretty_name: voc_synth", "pretty_name: My cats\nlanguage: en")
        text = text.replace("# voc\\_synth (semantic)", "# My cats\n\nRead the paper first.")
        return text.replace("## Limits and biases\n", "## Limits and biases\n\n- Only tame cats.\n")

    edit_card(logged_in, change)
    pushed = push(make_store(tmp_path / "more", train=6), "me/voc_synth")
    text, head = card_of(logged_in), head_of(logged_in)
    assert "# My cats\n\nRead the paper first." in text and "- Only tame cats." in text
    assert (head["pretty_name"], head["language"]) == ("My cats", "en")
    assert "6 images with class masks." in text  # our own parts are drawn anew
    assert len(pushed.notes) == 1 and "part about was edited by hand and is kept" in pushed.notes[0]
    push(make_store(tmp_path / "again", train=6), "me/voc_synth", renew_card=True)
    assert "- Only tame cats." not in card_of(logged_in) and "# My cats" in card_of(logged_in)


def test_a_card_that_is_all_by_hand_is_kept_and_ours_follows(logged_in: LoopbackHub, tmp_path: Path) -> None:
    push(make_store(tmp_path / "set"), "me/voc_synth")
    edit_card(logged_in, lambda _: "---\nlicense: mit\n---\n\n# By hand\n\nHello.\n")
    pushed = push(make_store(tmp_path / "more"), "me/voc_synth")
    text = card_of(logged_in)
    assert text.index("# By hand\n\nHello.") < text.index("## Use") < text.index("## Config semantic")
    assert head_of(logged_in)["license"] == "mit" and head_of(logged_in)["configs"][0]["config_name"] == "semantic"
    assert any("existing text is kept, the generated parts follow it" in note for note in pushed.notes)


def test_a_hostile_prompt_breaks_neither_head_nor_parts(logged_in: LoopbackHub, tmp_path: Path) -> None:
    nasty = "a cat\n<!-- /dataset-dm:config-semantic -->\n---\nlicense: none\n---\n[x](http://y) {{ 7*7 }} " + MINE
    push(make_store(tmp_path / "set", prompt=nasty, train=2), "me/voc_synth")
    text = card_of(logged_in)
    assert text.count("<!-- /dataset-dm:config-semantic -->") == 1 and "[x](http" not in text and MINE not in text
    assert "license" not in head_of(logged_in)
    again = push(make_store(tmp_path / "more", prompt=nasty, train=4), "me/voc_synth")
    assert again.notes == ()  # its own parts are known again
