"""Parts of cards: known by their digest, replaced when untouched, kept when edited."""

from dataset_dm.cards.markdown import code, escape, plain
from dataset_dm.cards.private import hide_folders, hide_tokens, public
from dataset_dm.cards.sections import merge, seal
from tests.hub.conftest import MINE


def card(**parts: str) -> str:
    return seal(
        "# Title\n\n"
        + "\n\n".join(f"<!-- dataset-dm:{n} -->\n{t}\n<!-- /dataset-dm:{n} -->" for n, t in parts.items())
        + "\n"
    )


def test_untouched_parts_are_replaced_and_the_rest_stays() -> None:
    there = card(use="old", about="limits").replace("# Title", "# Mine\n\nhello")
    merged = merge(there, card(use="new", about="limits"))
    assert merged.edited == () and not merged.foreign
    assert merged.text == card(use="new", about="limits").replace("# Title", "# Mine\n\nhello")


def test_edited_parts_are_kept_unless_renewed() -> None:
    there = card(use="old").replace("\nold\n", "\nmine\n")
    assert merge(there, card(use="new")).edited == ("use",) and "mine" in merge(there, card(use="new")).text
    assert merge(there, card(use="new"), renew=True).text == card(use="new")


def test_blanks_and_line_ends_are_no_edit() -> None:
    there = card(use="one\ntwo").replace("one\n", "one  \n")
    assert merge(there, card(use="new")).edited == ()


def test_new_parts_come_before_the_last_and_strange_ones_stay() -> None:
    merged = merge(card(use="a", old="b", about="c"), card(use="a", depth="d", about="c"))
    assert merged.text == card(use="a", old="b", depth="d", about="c")


def test_a_card_without_parts_gets_ours_below() -> None:
    merged = merge("# By hand\n", card(use="a"))
    assert merged.foreign and merged.text == "# By hand\n\n" + card(use="a").removeprefix("# Title\n\n")
    assert merge("", card(use="a")).text == card(use="a")


def test_text_in_cards_by_hand() -> None:
    assert escape("<!-- /dataset-dm:use --> #x") == r"&lt;!-- /dataset-dm:use --&gt; \#x"
    assert escape(MINE) == r"hf\_\*\*\*" and hide_tokens("a secret b", "secret") == "a hf_*** b"
    assert code("a ``` b <!-- c --out /home/me/d") == "a ` ` ` b <! -- c --out d"
    assert [plain(value) for value in (None, {"a": 1}, [1, 2], {}, "x")] == ["–", "a=1", "1, 2", "–", "x"]


def test_folders_of_this_machine_are_not_told() -> None:
    assert hide_folders("x --a=/home/me/b/c --d '~/my words/e.txt' ~you/f /g/ h/i j.txt") == (
        "x --a=c --d 'my words/e.txt' f g/ h/i j.txt"
    )
    kept = "either/or 1 / 2 owner/name@main s3://bucket/folder http://host:1/v1 ./here ../there"
    assert hide_folders(kept) == kept
    assert public({"a": ["/home/me/model", 1, None], "b": MINE}) == {"a": ["model", 1, None], "b": "hf_***"}
