"""Miniature's tokenizer: trained on captions, in CLIP's form."""

from dataset_dm.miniature.recipe.tokenizer import END, START, train_tokenizer


def test_frequent_words_become_one_token_and_rare_ones_stay_in_pieces():
    tokenizer = train_tokenizer(["a dog and a dog"] * 50 + ["an aeroplane"], num_merges=4)
    assert tokenizer.tokenize("dog") == ["dog</w>"]
    assert len(tokenizer.tokenize("aeroplane")) > 1


def test_any_text_tokenises_and_ends_are_marked():
    tokenizer = train_tokenizer(["a dog"], num_merges=2)
    ids = tokenizer("жираф 東京").input_ids
    tokens = tokenizer.convert_ids_to_tokens(ids)
    assert tokens[0] == START and tokens[-1] == END
    assert END not in tokens[1:-1]


def test_equal_captions_give_an_equal_tokenizer():
    captions = ["two dogs", "a red car on a street", "dogs; dog"]
    assert train_tokenizer(captions, 20).get_vocab() == train_tokenizer(captions, 20).get_vocab()
